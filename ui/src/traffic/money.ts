import { language } from '../words'

/** Minor units, as the language writes the currency. */
export function money(amount: number, currency: string): string {
  const format = formatOf(currency)
  return format.format(amount / unitsOf(currency))
}

/** How many minor units are one of the currency. */
export function unitsOf(currency: string): number {
  return 10 ** (formatOf(currency).resolvedOptions().maximumFractionDigits ?? 2)
}

function formatOf(currency: string): Intl.NumberFormat {
  return new Intl.NumberFormat(language(), { style: 'currency', currency })
}
