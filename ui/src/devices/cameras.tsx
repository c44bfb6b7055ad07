import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Select } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import { sentence } from '../parts/problem'
import { maybe, t, useLanguage } from '../words'

/** Logical numbers that the standard has a place for (JT/T 1076-2016, table 2); others exist. */
const PLACES = 13
const NUMBERS = Array.from({ length: 32 }, (_, at) => at + 1)

/** Cameras of a vehicle terminal that does not tell which it has. */
export function Cameras({ id, known }: { id: string; known: string[] }) {
  useLanguage()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [numbers, setNumbers] = useState<number[]>([])
  const [busy, setBusy] = useState(false)
  const add = async () => {
    setBusy(true)
    try {
      await api.post('devices/{device}/cameras', { path: { device: id }, body: { numbers } })
      setNumbers([])
      void message.success(t('device.camerasAdded'))
      void queries.invalidateQueries({ queryKey: ['channels'] })
      void queries.invalidateQueries({ queryKey: ['tree'] })
    } catch (error) {
      void message.error(sentence(error))
    } finally {
      setBusy(false)
    }
  }
  const options = NUMBERS.filter((number) => !known.includes(String(number))).map((number) => ({
    value: number, label: number <= PLACES ? `${number} ${maybe(`vehicle.place.${number}`) ?? ''}` : String(number),
  }))
  return (
    <div className="panel">
      <h2 style={{ marginBottom: 8 }}>{t('device.cameras')}</h2>
      <p className="quiet" style={{ marginBottom: 8 }}>{t('device.camerasHint')}</p>
      <div style={{ display: 'flex', gap: 8 }}>
        <Select mode="multiple" aria-label={t('device.cameras')} style={{ flex: 1 }} value={numbers} onChange={setNumbers} options={options} optionFilterProp="label" />
        <Button loading={busy} disabled={numbers.length === 0} onClick={() => void add()}>{t('verb.add')}</Button>
      </div>
    </div>
  )
}
