// A lane's zone while it is drawn: whether it can be one. The API has the last word; this is to say so at once. Pure.

type Corners = readonly (readonly number[])[]

export const MOST_CORNERS = 12
const LEAST_SHARE = 0.001

/** Three corners or more, some area, and no two edges that cross. */
export function fits(corners: Corners): boolean {
  return corners.length >= 3 && corners.length <= MOST_CORNERS && share(corners) >= LEAST_SHARE && !crosses(corners)
}

function share(corners: Corners): number {
  return Math.abs(edges(corners).reduce((sum, [a, b]) => sum + a[0]! * b[1]! - b[0]! * a[1]!, 0)) / 2
}

function crosses(corners: Corners): boolean {
  const all = edges(corners)
  return all.some(([a, b], at) => all.slice(at + 2).some(([c, d], later) => !(at === 0 && at + 2 + later === all.length - 1) && apart(a, b, c, d) && apart(c, d, a, b)))
}

const edges = (corners: Corners) => corners.map((corner, at) => [corner, corners[(at + 1) % corners.length]!] as const)

/** Whether two points do not both lie on one side of the line through `a` and `b`. */
function apart(a: readonly number[], b: readonly number[], c: readonly number[], d: readonly number[]): boolean {
  return side(a, b, c) * side(a, b, d) <= 0
}

const side = (a: readonly number[], b: readonly number[], point: readonly number[]) => (b[0]! - a[0]!) * (point[1]! - a[1]!) - (b[1]! - a[1]!) * (point[0]! - a[0]!)
