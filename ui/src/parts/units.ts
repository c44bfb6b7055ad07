const NO_BREAK = '\u202f'

function short(value: number, units: readonly string[], step: number): string {
  let index = 0
  let rest = value
  while (rest >= step && index < units.length - 1) {
    rest /= step
    index += 1
  }
  return `${rest.toFixed(rest < 10 && index > 0 ? 1 : 0)}${NO_BREAK}${units[index]}`
}

export const bytes = (value: number): string => short(value, ['B', 'KB', 'MB', 'GB', 'TB', 'PB'], 1000)

export const bitRate = (value: number): string => short(value, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'], 1000)
