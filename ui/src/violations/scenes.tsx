import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, InputNumber, Segmented, Select } from 'antd'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { api, Problem } from '../api/client'
import { useKeys } from '../app/keys'
import { ProblemNote } from '../parts/problem'
import type { Point } from '../parts/sketch'
import { type Key, t } from '../words'
import { drawn, EMPTY, enough, measured, type Scene, TOOLS, type Tool, withShape } from './drawing'
import { Parts } from './parts'
import { Canvas } from './canvas'

/** Lanes, lines and zones, drawn on the picture of a camera that reads plates. */
export function Scenes() {
  const [query, setQuery] = useSearchParams()
  const gates = useQuery({ queryKey: ['tollgates', 'names'], queryFn: ({ signal }) => api.get('tollgates', { query: { limit: 500 }, signal }) })
  const cameras = (gates.data?.items ?? []).flatMap((gate) => gate.lanes.filter((lane) => lane.read_plates && lane.channel).map((lane) => ({ value: lane.channel!, label: gate.name })))
  const options = [...new Map(cameras.map((each) => [each.value, each])).values()]
  const channel = query.get('channel') ?? options[0]?.value
  const asked = useQuery({
    queryKey: ['violations', 'scene', channel], enabled: Boolean(channel), retry: false, refetchOnWindowFocus: false, staleTime: Infinity,
    queryFn: async ({ signal }) => {
      try {
        return await api.get('channels/{channel}/scene', { path: { channel: channel! }, signal })
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return null
        throw error
      }
    },
  })
  if (gates.isSuccess && options.length === 0) return <div className="empty"><h2>{t('scene.none')}</h2><span>{t('scene.begin')}</span></div>
  return (
    <div className="column" style={{ height: '100%' }}>
      <div className="row wrap">
        <Select style={{ width: 260 }} aria-label={t('scene.camera')} value={channel ?? null} options={options} onChange={(value) => setQuery({ tab: 'scenes', channel: value })} />
        <span className="quiet">{t('scene.hint')}</span>
      </div>
      <ProblemNote error={gates.error ?? asked.error} />
      {channel && asked.isSuccess && <Editor key={`${channel} ${asked.data?.revision ?? 0}`} channel={channel} kept={asked.data ? drawn(asked.data) : EMPTY} revision={asked.data?.revision ?? 0} />}
    </div>
  )
}

function Editor({ channel, kept, revision }: { channel: string; kept: Scene; revision: number }) {
  const [scene, setScene] = useState(kept)
  const [tool, setTool] = useState<Tool>('lane')
  const [points, setPoints] = useState<Point[]>([])
  const [problem, setProblem] = useState<unknown>(null)
  const queries = useQueryClient()
  const { message } = App.useApp()
  const finish = (all: Point[]) => {
    if (enough(tool, all).done) setScene(withShape(scene, tool, all))
    setPoints([])
  }
  const add = (point: Point) => {
    const all = [...points, point]
    if (enough(tool, all).full) finish(all)
    else setPoints(all)
  }
  useKeys((event) => {
    if (event.key === 'Enter') finish(points)
    else if (event.key === 'Escape') setPoints([])
    else if (event.key === 'Backspace') setPoints(points.slice(0, -1))
    else return false
    return true
  })
  const save = async () => {
    try {
      await api.put('channels/{channel}/scene', { path: { channel }, body: scene, revision })
      setProblem(null)
      void message.success(t('scene.saved'))
      await queries.invalidateQueries({ queryKey: ['violations', 'scene', channel] })
    } catch (error) {
      setProblem(error)
    }
  }
  const differs = JSON.stringify(scene) !== JSON.stringify(kept)
  return (
    <div className="desk-work">
      <div className="column" style={{ minHeight: 0 }}>
        <div className="row wrap">
          <Segmented<Tool> value={tool} onChange={(next) => { setTool(next); setPoints([]) }} options={TOOLS.map((value) => ({ value, label: t(`scene.tool.${value}` as Key) }))} />
          {points.length > 0 && <Button size="small" onClick={() => finish(points)} disabled={!enough(tool, points).done}>{t('scene.finish')} <kbd>Enter</kbd></Button>}
        </div>
        <span className="quiet">{t(`scene.how.${tool}` as Key)}</span>
        <Canvas channel={channel} scene={scene} points={points} closed={tool === 'lane' || tool === 'exit' || tool === 'zone' || tool === 'measure'} onPoint={add} onFinish={() => finish(points)} />
      </div>
      <aside className="desk-side scroll">
        <label className="field">{t('scene.clock')}<InputNumber min={0} max={60_000} value={scene.clock_error_ms} onChange={(value) => setScene({ ...scene, clock_error_ms: value ?? 0 })} /></label>
        {scene.clock_error_ms > 1000 && <span className="p2">▲ {t('violation.lacks.clock_wrong')}</span>}
        <Parts scene={scene} onChange={setScene} />
        {!measured(scene) && <span className="p2">▲ {t('scene.unmeasured')}</span>}
        <ProblemNote error={problem} />
        <Button type="primary" block disabled={!differs || !measured(scene)} onClick={() => void save()}>{t('scene.save')}</Button>
      </aside>
    </div>
  )
}
