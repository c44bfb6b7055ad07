// Commands of the keyboard to the tile that is chosen.

export type TileCommand = 'replay' | 'ptz' | 'snapshot'

const targets = new Map<number, Set<(command: TileCommand) => void>>()

export function onTile(place: number, listener: (command: TileCommand) => void): () => void {
  const set = targets.get(place) ?? new Set()
  set.add(listener)
  targets.set(place, set)
  return () => set.delete(listener)
}

export function tell(place: number, command: TileCommand): void {
  for (const listener of [...(targets.get(place) ?? [])]) listener(command)
}
