import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Tree } from 'antd'
import { type ReactNode, useEffect, useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import { ProblemNote, sentence } from '../parts/problem'
import { maybe, t, useLanguage } from '../words'
import { Border } from './border'
import { type Branch, branches, type Place, PlaceSelect, usePlaces } from './choose'

interface TreeRow {
  key: string
  title: ReactNode
  children: TreeRow[]
}

interface Filled {
  name: string
  code?: string
  kind?: string
  parent?: string | null
}

/** The government tree, and the line of command: two trees, one page each. */
export function PlacesPage({ what }: { what: 'areas' | 'organisations' }) {
  useLanguage()
  const areas = what === 'areas'
  const { data, error, refetch } = usePlaces(what)
  const may = useMay(areas ? 'area.change' : 'organisation.change')
  const [chosen, setChosen] = useState<string | 'new' | null>(null)
  const places = data ?? []
  const place = places.find((each) => each.id === chosen)
  const codes = new Map(places.map((each) => [each.id, each]))
  const nodes = (list: Branch[]): TreeRow[] =>
    list.map((branch) => {
      const one = codes.get(branch.value)
      const level = one && ('level' in one ? maybe(`level.${one.level}`) : one.kind)
      return {
        key: branch.value, children: nodes(branch.children),
        title: <span className="row"><span>{branch.title}</span><span className="quiet mono">{one?.code}</span>{level && <span className="badge">{level}</span>}</span>,
      }
    })
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t(areas ? 'page.areas' : 'page.organisations')}</h1>
        <span className="quiet">{t(areas ? 'place.areasBegin' : 'place.organisationsBegin')}</span>
        <span className="grow" />
        {may && <Button type="primary" onClick={() => setChosen('new')}>{t(areas ? 'place.area.add' : 'place.organisation.add')}</Button>}
      </div>
      <div className="page-body scroll">
        <ProblemNote error={error} retry={() => void refetch()} />
        <div className="cards" style={{ gridTemplateColumns: 'repeat(auto-fit, minmax(min(280px, 100%), 1fr))', maxWidth: 1100 }}>
          <div className="panel">
            {places.length > 0 ? (
              <Tree key={places.length} treeData={nodes(branches(places))} defaultExpandAll blockNode selectedKeys={chosen ? [chosen] : []} onSelect={([key]) => setChosen(key ? String(key) : null)} />
            ) : (
              <div className="empty">
                <h2>{t(areas ? 'place.areasNone' : 'place.organisationsNone')}</h2>
                <span>{t(areas ? 'place.areasFirst' : 'place.organisationsFirst')}</span>
              </div>
            )}
          </div>
          {may && chosen ? <PlaceForm key={chosen} what={what} {...(place ? { place } : {})} onDone={() => setChosen(null)} /> : may && places.length > 0 ? <div className="quiet">{t('place.choose')}</div> : null}
        </div>
      </div>
    </div>
  )
}

function PlaceForm({ what, place, onDone }: { what: 'areas' | 'organisations'; place?: Place; onDone: () => void }) {
  const queries = useQueryClient()
  const { modal, message } = App.useApp()
  const [form] = Form.useForm<Filled>()
  const [problem, setProblem] = useState<unknown>(null)
  const areas = what === 'areas'
  useEffect(() => {
    if (place) form.setFieldsValue({ name: place.name, code: place.code ?? '', kind: 'kind' in place ? place.kind : '' })
  }, [place, form])
  const done = async () => {
    await queries.invalidateQueries({ queryKey: [what] })
    void queries.invalidateQueries({ queryKey: ['tree'] })
    onDone()
  }
  const save = async (filled: Filled) => {
    const { name, code = '', kind = '', parent = null } = filled
    try {
      if (place && areas) await api.patch('areas/{area}', { path: { area: place.id }, body: { name }, revision: place.revision })
      else if (place) await api.patch('organisations/{organisation}', { path: { organisation: place.id }, body: { name, kind }, revision: place.revision })
      else if (areas) await api.post('areas', { body: { name, code, parent }, once: true })
      else await api.post('organisations', { body: { name, code, kind, parent }, once: true })
      await done()
    } catch (error) {
      setProblem(error)
    }
  }
  const remove = () => {
    if (!place) return
    modal.confirm({
      title: t('place.delete', { name: place.name }), okText: t('verb.delete'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      onOk: () => (areas ? api.remove('areas/{area}', { path: { area: place.id } }) : api.remove('organisations/{organisation}', { path: { organisation: place.id } })).then(done).catch((error: unknown) => void message.error(sentence(error))),
    })
  }
  return (
    <Form form={form} layout="vertical" requiredMark={false} className="panel" onFinish={(filled: Filled) => void save(filled)}>
      <Form.Item name="name" label={t('word.name')} rules={[{ required: true, whitespace: true, message: t('word.name') }]}><Input maxLength={100} autoFocus /></Form.Item>
      <Form.Item name="code" label={t(areas ? 'place.areaCode' : 'word.code')}><Input maxLength={areas ? 12 : 40} className="mono" disabled={place !== undefined} /></Form.Item>
      {!areas && <Form.Item name="kind" label={t('place.kind')}><Input maxLength={40} /></Form.Item>}
      {!place && <Form.Item name="parent" label={t('place.under')}><PlaceSelect what={what} /></Form.Item>}
      <ProblemNote error={problem} />
      <div className="row">
        <Button type="primary" htmlType="submit">{t('verb.save')}</Button>
        <Button onClick={onDone}>{t('verb.cancel')}</Button>
        <span className="grow" />
        {place && <Button danger onClick={remove}>{t('verb.delete')}</Button>}
      </div>
      {place && 'level' in place && <Border area={place} />}
    </Form>
  )
}
