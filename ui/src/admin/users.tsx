import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Drawer, Form, Input, Select, Switch } from 'antd'
import { useState } from 'react'
import { api, type Body } from '../api/client'
import { useMay } from '../api/session'
import type { User, UserSession } from '../api/types'
import { Age } from '../parts/age'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { language as spoken, maybe, t, useLanguage } from '../words'
import { type Place, PlaceSelect, usePlaces } from './choose'
import { type Grant, grantsOf, GrantsField } from './grants'

interface Filled {
  username: string
  name: string
  password: string
  organisation?: string | null
  grants: Grant[]
  enabled: boolean
  language: User['language']
}

export function UsersPage() {
  useLanguage()
  const list = usePages(['users'], 'users')
  const may = useMay('user.change')
  const [open, setOpen] = useState<User | 'new' | null>(null)
  const places = usePlaces('areas')
  const organisations = usePlaces('organisations')
  const at = (path: string, among: Place[] | undefined) => (path === '/' ? [] : [among?.find((each) => each.path === path)?.name ?? path])
  // What each right is limited to; those that take something away are told in the form.
  const named = (row: User) => {
    const reaches = row.grants.filter((grant) => !grant.deny).map((grant) => [...at(grant.area_path, places.data), ...at(grant.organisation_path, organisations.data)].join(' · ') || t('word.all'))
    return [...new Set(reaches)].join(', ')
  }
  const belongs = (row: User) => organisations.data?.find((each) => each.id === row.organisation)?.name ?? ''
  const columns: Column<User>[] = [
    { key: 'username', title: t('signin.user'), width: 'minmax(140px, 1fr)', value: (row) => row.username, cell: (row) => row.username },
    { key: 'name', title: t('user.name'), width: 'minmax(140px, 1fr)', value: (row) => row.name ?? '', cell: (row) => row.name || '–' },
    { key: 'roles', title: t('user.roles'), width: 'minmax(140px, 1fr)', value: (row) => row.roles.join(' '), cell: (row) => row.roles.map((role) => maybe(`role.${role}`) ?? role).join(', ') || '–' },
    { key: 'areas', title: t('user.grants'), width: 'minmax(140px, 2fr)', value: (row) => named(row), cell: (row) => named(row) || '–' },
    { key: 'organisation', title: t('device.organisation'), width: 'minmax(120px, 1fr)', value: (row) => belongs(row), cell: (row) => belongs(row) || '–' },
    { key: 'enabled', title: t('user.enabled'), width: '100px', value: (row) => (row.enabled === false ? 0 : 1), cell: (row) => t(row.enabled === false ? 'word.no' : 'word.yes') },
    { key: 'created', title: t('user.created'), width: '130px', end: true, value: (row) => row.created_at ?? '', cell: (row) => <Age at={row.created_at} /> },
  ]
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('page.users')}</h1>
        <span className="grow" />
        {may && <Button type="primary" onClick={() => setOpen('new')}>{t('user.add')}</Button>}
      </div>
      <div className="page-body">
        {list.error ? <ProblemNote error={list.error} retry={list.refetch} /> : <Table name={t('page.users')} rows={list.rows} columns={columns} id={(row) => row.id} loading={list.loading} {...(may ? { onOpen: setOpen } : {})} />}
      </div>
      <Drawer open={open !== null} onClose={() => setOpen(null)} width={480} title={open === 'new' ? t('user.add') : (open?.username ?? '')} destroyOnHidden>
        {open && <UserForm key={open === 'new' ? 'new' : open.id} {...(open === 'new' ? {} : { user: open })} onDone={() => setOpen(null)} />}
      </Drawer>
    </div>
  )
}

function UserForm({ user, onDone }: { user?: User; onDone: () => void }) {
  const queries = useQueryClient()
  const { modal, message } = App.useApp()
  const [problem, setProblem] = useState<unknown>(null)
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const areas = usePlaces('areas')
  const organisations = usePlaces('organisations')
  const done = async () => {
    await queries.invalidateQueries({ queryKey: ['users'] })
    onDone()
  }
  const save = async (filled: Filled) => {
    try {
      if (user) {
        const { name, password, language, enabled, organisation, grants } = filled
        const change: Body<'patch', 'users/{user}'> = {
          ...(touched.has('name') ? { name } : {}),
          ...(touched.has('language') ? { language } : {}),
          ...(touched.has('enabled') ? { enabled } : {}),
          ...(touched.has('organisation') ? { organisation: organisation ?? null } : {}),
          ...(touched.has('grants') ? { grants } : {}),
          ...(password ? { password } : {}),
        }
        await api.patch('users/{user}', { path: { user: user.id }, body: change, revision: user.revision })
      } else {
        const { username, name, password, language, grants } = filled
        await api.post('users', { body: { username, name, password, language, grants, organisation: filled.organisation ?? null }, once: true })
      }
      await done()
    } catch (error) {
      setProblem(error)
    }
  }
  const remove = () => {
    if (!user) return
    modal.confirm({
      title: t('user.delete', { name: user.username }), okText: t('verb.delete'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      onOk: () => api.remove('users/{user}', { path: { user: user.id } }).then(done).catch((error: unknown) => void message.error(sentence(error))),
    })
  }
  const initial = user ? { username: user.username, name: user.name, organisation: user.organisation, enabled: user.enabled, language: user.language, grants: grantsOf(user, areas.data ?? [], organisations.data ?? []) } : { grants: [{ role: 'operator' as const, tags: [], deny: false, area: null, organisation: null }], enabled: true, language: spoken(), name: '' }
  // The trees first: with them unknown the form would show paths where it should show names.
  if (areas.isPending || organisations.isPending) return <div className="empty" role="status">{t('word.loading')}</div>
  return (
    <>
      <Form layout="vertical" requiredMark={false} initialValues={initial} onFinish={(filled: Filled) => void save(filled)} onValuesChange={(change: Partial<Filled>) => setTouched(new Set([...touched, ...Object.keys(change)]))}>
        <Form.Item name="username" label={t('signin.user')} rules={[{ required: true, message: t('signin.user') }]}><Input maxLength={64} disabled={user !== undefined} autoComplete="off" /></Form.Item>
        <Form.Item name="name" label={t('user.name')}><Input maxLength={100} /></Form.Item>
        <Form.Item name="password" label={t(user ? 'user.password' : 'signin.password')} extra={t(user ? 'user.passwordHint' : 'setup.short')} rules={[{ required: user === undefined, min: 12, message: t('setup.short') }]}><Input.Password autoComplete="new-password" /></Form.Item>
        <Form.Item name="organisation" label={t('device.organisation')} extra={t('user.organisationHint')}><PlaceSelect what="organisations" /></Form.Item>
        <Form.Item name="grants" label={t('user.grants')} extra={t('user.grantsHint')}><GrantsField /></Form.Item>
        <Form.Item name="language" label={t('language.label')}><Select options={[{ value: 'zh-CN', label: t('language.zh') }, { value: 'en', label: t('language.en') }]} /></Form.Item>
        {user && <Form.Item name="enabled" label={t('user.enabled')} valuePropName="checked"><Switch /></Form.Item>}
        <ProblemNote error={problem} />
        <div className="row">
          <Button type="primary" htmlType="submit">{t('verb.save')}</Button>
          <span className="grow" />
          {user && <Button danger onClick={remove}>{t('verb.delete')}</Button>}
        </div>
      </Form>
      {user && <Sessions user={user} />}
    </>
  )
}

export function Sessions({ user }: { user: { id: string } }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const { data } = useQuery({ queryKey: ['users', user.id, 'sessions'], queryFn: ({ signal }) => api.get('users/{user}/sessions', { path: { user: user.id }, signal }) })
  const end = (session: UserSession) => {
    api.remove('users/{user}/sessions/{session}', { path: { user: user.id, session: session.id } }).then(
      () => void queries.invalidateQueries({ queryKey: ['users', user.id, 'sessions'] }),
      (error: unknown) => void message.error(sentence(error)),
    )
  }
  return (
    <section style={{ marginTop: 24 }}>
      <h2>{t('user.sessions')}</h2>
      {(data?.items ?? []).map((session) => (
        <div key={session.id} className="row" style={{ padding: '6px 0', borderBottom: '1px solid var(--line)' }}>
          <span className="grow clip" title={session.user_agent}>{session.address} <span className="quiet">{session.user_agent}</span></span>
          <Age at={session.last_seen} />
          {session.current ? <span className="badge">{t('user.session.this')}</span> : <Button size="small" onClick={() => end(session)}>{t('user.session.end')}</Button>}
        </div>
      ))}
    </section>
  )
}
