// Area > device > channel, loaded by level, only the visible rows in the page. What gives no pictures (vehicles, gates) is
// found under Devices.

import { useQueries, useQueryClient } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { CaretDownOutlined, CaretRightOutlined, DoubleLeftOutlined, DoubleRightOutlined } from '@ant-design/icons'
import { Dropdown, type MenuProps } from 'antd'
import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from 'react'
import { api } from '../api/client'
import type { TreeNode } from '../api/types'
import { DRAGGED } from '../live/wall'
import { t, useLanguage } from '../words'
import { ProblemNote } from './problem'
import { Dot } from './state'
import { Store, useStore } from './store'

interface Row {
  node: TreeNode
  depth: number
  open: boolean
}

/** In the place of a node: there is more below this parent than was loaded. */
const MORE = 'more:'
const isMore = (node: TreeNode) => node.id.startsWith(MORE)
const moreOf = (parent: string): TreeNode => ({
  id: MORE + parent, kind: 'device', name: t('tree.more'), code: '', state: '', step: '', ptz: false, qualities: [],
  recording: false, simulated: false, total: 0, online: 0, counts: {}, has_children: false,
})

interface TreeState {
  closed: boolean
  open: string[]
}

const kept = new Store<TreeState>({ closed: false, open: [] }, 'safecity.tree')

export interface TreeProps {
  onOpen: (node: TreeNode) => void
  menu?: (node: TreeNode) => MenuProps['items']
  onMenu?: (key: string, node: TreeNode) => void
  chosen?: string | null
  marks?: ReadonlySet<string>
}

/** `foot` stands below the tree. */
export function SideTree({ foot, ...props }: TreeProps & { foot?: ReactNode }) {
  useLanguage()
  const { closed } = useStore(kept)
  const [filter, setFilter] = useState('')
  if (closed) {
    return (
      <aside className="side closed">
        <button type="button" className="plain-button" aria-label={t('tree.show')} title={t('tree.show')} onClick={() => kept.set({ closed: false })}>
          <DoubleRightOutlined />
        </button>
      </aside>
    )
  }
  return (
    <aside className="side" aria-label={t('tree.label')}>
      <div className="side-head">
        <input className="plain-input" value={filter} placeholder={t('tree.filter')} aria-label={t('tree.filter')} onChange={(event) => setFilter(event.target.value)} />
        <button type="button" className="plain-button" aria-label={t('tree.hide')} title={t('tree.hide')} onClick={() => kept.set({ closed: true })}>
          <DoubleLeftOutlined />
        </button>
      </div>
      <Tree {...props} filter={filter.trim().toLowerCase()} />
      {foot}
    </aside>
  )
}

const ROOT = ''

interface Level {
  nodes: TreeNode[]
  more: boolean
}

/** How many parts of a level are wanted; kept beside the rows, which stay while more are fetched. */
const parts = new Map<string, number>()
const partsOf = (parent: string) => parts.get(parent) ?? 1

/** What lies below, as many parts as are wanted. */
async function level(parent: string, signal: AbortSignal): Promise<Level> {
  const nodes: TreeNode[] = []
  let cursor = ''
  for (let part = 0; part < partsOf(parent); part++) {
    const answer = await api.get('tree', { query: { parent, cursor, pictures: true }, signal })
    nodes.push(...answer.items)
    if (!answer.next) return { nodes, more: false }
    cursor = answer.next
  }
  return { nodes, more: true }
}

function useRows(filter: string): { rows: Row[]; error: unknown; empty: boolean; toggle: (id: string) => void; retry: () => void } {
  const { open } = useStore(kept)
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const client = useQueryClient()
  const asked = [ROOT, ...open]
  const answers = useQueries({
    queries: asked.map((parent) => ({
      queryKey: ['tree', parent],
      queryFn: ({ signal }: { signal: AbortSignal }) => level(parent, signal),
      staleTime: 10_000,
      refetchInterval: 20_000,
    })),
  })
  const levels = new Map(asked.map((parent, index) => [parent, answers[index]?.data]))
  const rows: Row[] = []
  const walk = (parent: string, depth: number): boolean => {
    let any = false
    const found = levels.get(parent)
    for (const node of found?.nodes ?? []) {
      const at = rows.length
      const isOpen = open.includes(node.id)
      rows.push({ node, depth, open: isOpen })
      const below = isOpen ? walk(node.id, depth + 1) : false
      if (filter && !below && !node.name.toLowerCase().includes(filter) && !(node.code ?? '').includes(filter)) rows.splice(at)
      else any = true
    }
    // Also under a filter: what was not loaded was not looked through.
    if (found?.more) rows.push({ node: moreOf(parent), depth, open: false })
    return any || Boolean(found?.more)
  }
  walk(ROOT, 0)
  // A small city opens by itself, so that nobody faces a closed door: the first levels with few entries.
  const toOpen = rows.filter((row) => row.node.kind !== 'channel' && !isMore(row.node) && !row.open && !touched.has(row.node.id) && rows.length < 40 && open.length < 12)
  const first = answers[0]
  const known = toOpen.map((row) => row.node.id).join(' ')
  useMemo(() => {
    if (known && !filter) queueMicrotask(() => kept.set((now) => ({ open: [...new Set([...now.open, ...known.split(' ')])] })))
  }, [known, filter])
  return {
    rows,
    error: first?.error,
    empty: first?.data?.nodes.length === 0,
    retry: () => void first?.refetch(),
    toggle: (id) => {
      if (id.startsWith(MORE)) {
        const parent = id.slice(MORE.length)
        parts.set(parent, partsOf(parent) + 1)
        void client.refetchQueries({ queryKey: ['tree', parent], exact: true })
        return
      }
      setTouched((now) => new Set([...now, id]))
      kept.set((now) => ({ open: now.open.includes(id) ? now.open.filter((each) => each !== id) : [...now.open, id] }))
    },
  }
}

function Tree({ onOpen, menu, onMenu, chosen, marks, filter }: TreeProps & { filter: string }) {
  const { rows, error, empty, toggle, retry } = useRows(filter)
  const box = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState(0)
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer is meant to change under React
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => 28, overscan: 12 })
  const [menuFor, setMenuFor] = useState<TreeNode | null>(null)

  const act = (node: TreeNode) => (node.kind === 'channel' ? onOpen(node) : toggle(node.id))
  const press = (event: KeyboardEvent) => {
    const row = rows[active]
    if (event.key === 'ArrowDown') setActive(Math.min(active + 1, rows.length - 1))
    else if (event.key === 'ArrowUp') setActive(Math.max(active - 1, 0))
    else if (event.key === 'Enter' && row) act(row.node)
    else if (event.key === 'ArrowRight' && row && !row.open && !isMore(row.node) && row.node.kind !== 'channel') toggle(row.node.id)
    else if (event.key === 'ArrowLeft' && row?.open) toggle(row.node.id)
    else return
    event.preventDefault()
    event.stopPropagation()
    event.nativeEvent.stopImmediatePropagation()
    virtual.scrollToIndex(active)
  }
  if (error) return <div style={{ padding: 8 }}><ProblemNote error={error} retry={retry} /></div>
  if (empty) return <div className="empty"><h2>{t('tree.empty')}</h2><span>{t('tree.begin')}</span></div>
  return (
    <Dropdown
      trigger={['contextMenu']}
      disabled={!menu}
      menu={{ items: menuFor && menu ? menu(menuFor) ?? [] : [], onClick: ({ key }) => menuFor && onMenu?.(key, menuFor) }}
    >
      <div className="tree" ref={box} role="tree" tabIndex={0} aria-label={t('tree.label')} aria-activedescendant={rows[active] ? `tree-${rows[active].node.id}` : undefined} onKeyDown={press}>
        <div role="presentation" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => {
            const { node, depth, open } = rows[item.index]!
            return (
              <div
                key={node.id} id={`tree-${node.id}`} role="treeitem" aria-level={depth + 1} aria-selected={node.id === chosen}
                {...(node.kind === 'channel' || isMore(node) ? {} : { 'aria-expanded': open })}
                className={`tree-row${node.id === chosen ? ' chosen' : ''}${item.index === active ? ' active' : ''}`}
                style={{ transform: `translateY(${item.start}px)`, paddingLeft: 4 + depth * 14 }}
                draggable={node.kind === 'channel'}
                onDragStart={(event) => {
                  event.dataTransfer.setData(DRAGGED, node.id)
                  event.dataTransfer.effectAllowed = 'copyMove'
                }}
                onClick={() => {
                  setActive(item.index)
                  if (node.kind !== 'channel') toggle(node.id)
                  else if (matchMedia('(hover: none)').matches) onOpen(node)
                }}
                onDoubleClick={() => node.kind === 'channel' && onOpen(node)}
                onContextMenu={() => setMenuFor(isMore(node) ? null : node)}
              >
                <NodeRow node={node} open={open} marked={marks?.has(node.id) ?? false} />
              </div>
            )
          })}
        </div>
      </div>
    </Dropdown>
  )
}

function NodeRow({ node, open, marked }: { node: TreeNode; open: boolean; marked: boolean }) {
  if (isMore(node)) return <span className="clip grow quiet" style={{ paddingLeft: 16 }}>{node.name}</span>
  const inner = node.kind !== 'channel'
  return (
    <>
      <span className="twist" aria-hidden>{inner && node.has_children ? open ? <CaretDownOutlined /> : <CaretRightOutlined /> : null}</span>
      {node.state && node.kind !== 'area' && <Dot state={node.state} />}
      <span className="clip grow" style={marked ? { fontWeight: 600 } : undefined} title={node.name}>{node.name}</span>
      {node.recording && <span className="quiet" title={t('live.recording')}>R</span>}
      {node.ptz && <span className="badge" title={t('live.ptz')}>PTZ</span>}
      {inner && node.simulated && <span className="badge sim" title={t('word.simulated')}>S</span>}
      {inner && node.total !== undefined && (
        <span className="count" title={t('tree.online', { online: node.online ?? 0, total: node.total })}>{node.online ?? 0}/{node.total}</span>
      )}
    </>
  )
}
