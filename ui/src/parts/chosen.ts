/** A set of what somebody ticked, after they ticked or unticked one more. */
export function changed(of: ReadonlySet<string>, one: string, has: boolean): ReadonlySet<string> {
  return new Set(has ? [...of, one] : [...of].filter((each) => each !== one))
}
