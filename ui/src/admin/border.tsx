import { useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useRef, useState } from 'react'
import { api } from '../api/client'
import type { Area } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { t } from '../words'
import { polygonOf } from './geojson'

/** The border of an area, from a file: what lies in it on the map is the area's. */
export function Border({ area }: { area: Area }) {
  const queries = useQueryClient()
  const file = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const [unread, setUnread] = useState(false)
  const change = async (work: () => Promise<unknown>) => {
    try {
      await work()
      setProblem(null)
      await queries.invalidateQueries({ queryKey: ['areas'] })
    } catch (error) {
      setProblem(error)
    }
  }
  const take = async (chosen: File) => {
    const outline = polygonOf(await chosen.text())
    setUnread(outline === null)
    if (outline) await change(() => api.put('areas/{area}/outline', { path: { area: area.id }, body: outline }))
  }
  return (
    <section aria-label={t('place.border')}>
      <h3>{t('place.border')}</h3>
      <p className="quiet">{t('place.borderWhy')}</p>
      <p role="status">{t(area.outlined ? 'place.borderDrawn' : 'place.borderNone')}</p>
      {unread && <p role="alert">{t('place.borderUnread')}</p>}
      <ProblemNote error={problem} />
      <input
        ref={file} type="file" accept=".geojson,.json,application/geo+json" hidden aria-label={t('place.borderFile')}
        onChange={(event) => {
          const chosen = event.target.files?.[0]
          event.target.value = ''
          if (chosen) void take(chosen)
        }}
      />
      <div className="row">
        <Button onClick={() => file.current?.click()}>{t('place.borderFile')}</Button>
        {area.outlined && <Button danger onClick={() => void change(() => api.remove('areas/{area}/outline', { path: { area: area.id } }))}>{t('place.borderErase')}</Button>}
      </div>
    </section>
  )
}
