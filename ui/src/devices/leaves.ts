// What a device answers is a tree of element names that it alone understands: its values, by the way to them.

export type Plain = string | number | boolean | null | Plain[] | { [name: string]: Plain }

export interface Leaf {
  /** Element names from the top; the place in a list is a number from 0. */
  path: string[]
  value: string | number | boolean | null
}

/** Every value in the order it was told. */
export function leaves(told: Plain, path: string[] = []): Leaf[] {
  if (typeof told !== 'object' || told === null) return [{ path, value: told }]
  return Object.entries(told).flatMap(([name, inner]) => leaves(inner, [...path, name]))
}

/** The same tree with another value at the end of `path`. */
export function put(told: Plain, path: string[], value: Plain): Plain {
  const [name, ...rest] = path
  if (name === undefined) return value
  if (Array.isArray(told)) return told.map((inner, index) => (String(index) === name ? put(inner, rest, value) : inner))
  const fields = typeof told === 'object' && told !== null ? told : {}
  return { ...fields, [name]: put(fields[name] ?? null, rest, value) }
}

/** As it stands in a field. */
export function shownValue(value: Plain | undefined): string {
  return value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
}
