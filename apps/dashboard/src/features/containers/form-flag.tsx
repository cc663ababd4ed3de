'use client'
import { useTranslations } from 'next-intl'
import { Controller, useFormContext } from 'react-hook-form'
import { Checkbox } from '../../ui/checkbox'
import { Field } from '../../ui/field'
import { Input, InputWithUnit, Textarea } from '../../ui/input'
import { Select } from '../../ui/select'
import type { FlagField } from './form-fields'
import type { FormErrors, FormValues } from './form-values'

/** Fields of flags, two beside each other. */
export function FlagGrid({ fields, errors }: { fields: readonly FlagField[]; errors: FormErrors }) {
  return (
    <div className="grid items-start gap-x-4 gap-y-3.5 sm:grid-cols-2">
      {fields.map((field) => (
        <Flag key={field.flag} {...field} error={errors[`flags.${field.flag}`] ?? errors[`switches.${field.flag}`]} />
      ))}
    </div>
  )
}

function Flag({ flag, field, wide, error }: FlagField & { error?: string }) {
  const t = useTranslations('containers')
  const form = useFormContext<FormValues>()
  const label = t(`flag.${flag}` as 'flag.env')
  if (field.kind === 'switch')
    return (
      <Controller
        control={form.control}
        name={`switches.${flag}`}
        render={({ field: { value, onChange } }) => (
          <span className="grid gap-1 self-center">
            <Checkbox checked={value} onChange={onChange} help={<code>--{flag}</code>}>
              {label}
            </Checkbox>
            {error ? (
              <span role="alert" className="text-bad text-xs">
                {error}
              </span>
            ) : null}
          </span>
        )}
      />
    )
  const name = `flags.${flag}` as const
  return (
    <Field label={label} aside={<code className="text-2xs">--{flag}</code>} error={error} className={wide ? 'sm:col-span-2' : undefined}>
      {field.kind === 'lines' ? (
        <Textarea
          mono
          rows={field.rows}
          className={field.rows && field.rows < 3 ? 'min-h-13' : undefined}
          placeholder={field.placeholder}
          {...form.register(name)}
        />
      ) : field.kind === 'block' ? (
        <Textarea mono rows={1} className="field-sizing-content min-h-8" placeholder={field.placeholder} {...form.register(name)} />
      ) : field.kind === 'choice' ? (
        <Controller
          control={form.control}
          name={name}
          render={({ field: { value, onChange } }) => (
            <Select
              value={value}
              onChange={onChange}
              choices={field.choices.map((choice) => ({ value: choice, label: choice || t('create.usual') }))}
            />
          )}
        />
      ) : field.kind === 'number' && field.unit ? (
        <InputWithUnit unit={field.unit} inputMode="decimal" placeholder={field.placeholder} {...form.register(name)} />
      ) : (
        <Input mono inputMode={field.kind === 'number' ? 'decimal' : undefined} placeholder={field.placeholder} {...form.register(name)} />
      )}
    </Field>
  )
}
