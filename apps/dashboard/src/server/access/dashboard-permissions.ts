/**
 * Every procedure of the dashboard's own router and who may ask it. A test compares it with the router.
 *
 * public: anybody. person: whoever is signed in, by session or token; what comes back holds only hosts that they may see.
 * session: a browser session alone, so that a stolen API token cannot change the account or make further tokens.
 * administrator: Admin on all hosts, by session or token. administrator-session: the same, by session alone.
 */
export const dashboardPermissions = {
  'setup.state': 'public',
  'setup.create': 'public',
  'session.signIn': 'public',
  'session.confirmCode': 'public',
  'session.signOut': 'public',
  'invitations.read': 'public',
  'invitations.accept': 'public',
  'me.get': 'person',
  'me.rename': 'session',
  'me.changePassword': 'session',
  'me.beginTotp': 'session',
  'me.confirmTotp': 'session',
  'me.disableTotp': 'session',
  'sessions.list': 'session',
  'sessions.revoke': 'session',
  'sessions.revokeOthers': 'session',
  'tokens.list': 'session',
  'tokens.create': 'session',
  'tokens.revoke': 'session',
  'people.list': 'administrator',
  'people.setGrants': 'administrator-session',
  'people.setDisabled': 'administrator-session',
  'people.remove': 'administrator-session',
  'people.endSessions': 'administrator-session',
  'people.clearTotp': 'administrator-session',
  'people.resetPassword': 'administrator-session',
  'invitations.list': 'administrator',
  'invitations.create': 'administrator-session',
  'invitations.revoke': 'administrator-session',
  'hosts.list': 'person',
  'hosts.get': 'person',
  'hosts.joins': 'administrator',
  'hosts.joinResult': 'administrator',
  'hosts.prepareJoin': 'administrator-session',
  'hosts.cancelJoin': 'administrator-session',
  'hosts.rename': 'administrator',
  'hosts.setAddress': 'administrator',
  'hosts.renew': 'administrator',
  'hosts.revoke': 'administrator',
  'hosts.remove': 'administrator',
  'fleet.containers': 'person',
  'fleet.images': 'person',
  'fleet.volumes': 'person',
  'fleet.networks': 'person',
  'fleet.operations': 'person',
  'audit.list': 'administrator',
  'audit.verify': 'administrator',
} as const
export type DashboardProcedure = keyof typeof dashboardPermissions
export type DashboardPermission = (typeof dashboardPermissions)[DashboardProcedure]
