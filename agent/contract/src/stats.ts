import * as z from 'zod'

const pressure = z.object({ some10: z.number(), full10: z.number(), someTotalUs: z.number(), fullTotalUs: z.number() })
export const statsSample = z.object({
  at: z.string(),
  cpu: z.object({
    /** Cumulative nanoseconds. */
    totalNs: z.number(),
    userNs: z.number(),
    systemNs: z.number(),
    perCpuNs: z.array(z.number()),
    /** 100 = one core fully used, over the time since the sample before; null in the first. */
    percent: z.number().nullable(),
    periods: z.number(),
    throttledPeriods: z.number(),
    throttledNs: z.number(),
    /** Cumulative nanoseconds of the whole host, for Docker's formula. */
    hostNs: z.number(),
    onlineCpus: z.number(),
  }),
  memory: z.object({
    usageBytes: z.number(),
    /** Usage without the file cache that can go: what people mean by "used". */
    workingBytes: z.number(),
    limitBytes: z.number().nullable(),
    maxUsageBytes: z.number().nullable(),
    swapBytes: z.number(),
    failures: z.number(),
    /** memory.stat as the kernel names its parts. */
    parts: z.record(z.string(), z.number()),
  }),
  pids: z.object({ current: z.number(), limit: z.number().nullable() }),
  blockIo: z.object({
    readBytes: z.number(),
    writeBytes: z.number(),
    readOps: z.number(),
    writeOps: z.number(),
    devices: z.array(
      z.object({
        major: z.number(),
        minor: z.number(),
        readBytes: z.number(),
        writeBytes: z.number(),
        readOps: z.number(),
        writeOps: z.number(),
      }),
    ),
  }),
  network: z.record(
    z.string(),
    z.object({
      rxBytes: z.number(),
      rxPackets: z.number(),
      rxErrors: z.number(),
      rxDropped: z.number(),
      txBytes: z.number(),
      txPackets: z.number(),
      txErrors: z.number(),
      txDropped: z.number(),
    }),
  ),
  pressure: z.object({ cpu: pressure, memory: pressure, io: pressure }).nullable(),
})
export type StatsSample = z.infer<typeof statsSample>

/** A thin point for charts; the last hour is kept. Rates are per second. */
export const statsPoint = z.object({
  at: z.number(),
  cpuPercent: z.number(),
  throttledPercent: z.number(),
  memoryBytes: z.number(),
  memoryLimitBytes: z.number().nullable(),
  pids: z.number(),
  rxBps: z.number(),
  txBps: z.number(),
  readBps: z.number(),
  writeBps: z.number(),
})
export type StatsPoint = z.infer<typeof statsPoint>

export const hostPoint = z.object({
  at: z.number(),
  cpuPercent: z.number(),
  load1: z.number(),
  memoryUsedBytes: z.number(),
  memoryTotalBytes: z.number(),
  swapUsedBytes: z.number(),
  diskUsedBytes: z.number(),
  diskTotalBytes: z.number(),
  rxBps: z.number(),
  txBps: z.number(),
})
export type HostPoint = z.infer<typeof hostPoint>
