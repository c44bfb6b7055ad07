import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Drawer, Form, Input, Select, Switch } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Page, User, UserSession } from '../api/types'
import { Age } from '../parts/age'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { maybe, t, useLanguage } from '../words'
import { PlaceSelect } from './choose'

interface Filled {
  username: string
  name: string
  password?: string
  roles: string[]
  areas?: string[]
  enabled: boolean
  language: string
}

export function UsersPage() {
  useLanguage()
  const list = usePages<User>(['users'], 'users')
  const may = useMay('user.change')
  const [open, setOpen] = useState<User | 'new' | null>(null)
  const columns: Column<User>[] = [
    { key: 'username', title: t('signin.user'), width: 'minmax(140px, 1fr)', value: (row) => row.username, cell: (row) => row.username },
    { key: 'name', title: t('user.name'), width: 'minmax(140px, 1fr)', value: (row) => row.name ?? '', cell: (row) => row.name || '–' },
    { key: 'roles', title: t('user.roles'), width: 'minmax(140px, 1fr)', value: (row) => row.roles.join(' '), cell: (row) => row.roles.map((role) => maybe(`role.${role}`) ?? role).join(', ') || '–' },
    { key: 'areas', title: t('word.area'), width: '120px', value: (row) => (row.areas ?? []).join(' '), cell: (row) => ((row.areas ?? []).every((each) => each === '/') ? t('word.all') : (row.areas ?? []).length) },
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
      <Drawer open={open !== null} onClose={() => setOpen(null)} width={420} title={open === 'new' ? t('user.add') : (open?.username ?? '')} destroyOnHidden>
        {open && <UserForm key={open === 'new' ? 'new' : open.id} {...(open === 'new' ? {} : { user: open })} onDone={() => setOpen(null)} />}
      </Drawer>
    </div>
  )
}

const ROLES = ['administrator', 'operator', 'viewer'] as const

function UserForm({ user, onDone }: { user?: User; onDone: () => void }) {
  const queries = useQueryClient()
  const { modal, message } = App.useApp()
  const [problem, setProblem] = useState<unknown>(null)
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const done = async () => {
    await queries.invalidateQueries({ queryKey: ['users'] })
    onDone()
  }
  const save = async (filled: Filled) => {
    try {
      if (user) {
        const change: Record<string, unknown> = {}
        for (const key of touched) if (key !== 'roles' && key !== 'areas') change[key] = filled[key as keyof Filled]
        if (touched.has('roles') || touched.has('areas')) Object.assign(change, { roles: filled.roles, areas: filled.areas ?? [] })
        if (!filled.password) delete change['password']
        await api.patch(`users/${user.id}`, change)
      } else {
        const { username, name, password, roles, language } = filled
        await api.post('users', { username, name, password, roles, language, areas: filled.areas ?? [] })
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
      onOk: () => api.remove(`users/${user.id}`).then(done).catch((error: unknown) => void message.error(sentence(error))),
    })
  }
  const initial = user ? { username: user.username, name: user.name ?? '', roles: user.roles, enabled: user.enabled ?? true, language: user.language ?? 'zh-CN', areas: [] } : { roles: ['operator'], enabled: true, language: 'zh-CN', name: '' }
  return (
    <>
      <Form layout="vertical" requiredMark={false} initialValues={initial} onFinish={(filled: Filled) => void save(filled)} onValuesChange={(change: Partial<Filled>) => setTouched(new Set([...touched, ...Object.keys(change)]))}>
        <Form.Item name="username" label={t('signin.user')} rules={[{ required: true, message: t('signin.user') }]}><Input maxLength={64} disabled={user !== undefined} autoComplete="off" /></Form.Item>
        <Form.Item name="name" label={t('user.name')}><Input maxLength={100} /></Form.Item>
        <Form.Item name="password" label={t('user.password')} extra={t('user.passwordHint')} rules={[{ required: user === undefined, min: 12, message: t('setup.short') }]}><Input.Password autoComplete="new-password" /></Form.Item>
        <Form.Item name="roles" label={t('user.roles')}><Select mode="multiple" options={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))} /></Form.Item>
        <Form.Item name="areas" label={t('user.areas')}><PlaceSelect what="areas" multiple /></Form.Item>
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
  const { data } = useQuery({ queryKey: ['users', user.id, 'sessions'], queryFn: ({ signal }) => api.get<Page<UserSession>>(`users/${user.id}/sessions`, undefined, signal) })
  const end = (session: UserSession) => {
    api.remove(`users/${user.id}/sessions/${session.id}`).then(
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
