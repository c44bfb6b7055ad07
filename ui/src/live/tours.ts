import { api } from '../api/client'
import type { TreeNode } from '../api/types'
import { t } from '../words'
import { startTour, tour } from './tour'

/** A tour through the channels below `node`, or the last tour again, or through all channels. */
export async function startAllTour(node: TreeNode | null): Promise<void> {
  const last = tour.get()
  if (!node && last.channels.length > 0) {
    startTour(last.name, last.channels, last.seconds)
    return
  }
  const query = node ? { [node.kind]: node.id, limit: 200 } : { limit: 200 }
  const { items } = await api.get('channels', { query })
  const alive = items.filter((channel) => channel.state !== 'offline' && channel.state !== 'never')
  startTour(node?.name ?? t('word.all'), (alive.length > 0 ? alive : items).map((channel) => channel.id), last.seconds)
}
