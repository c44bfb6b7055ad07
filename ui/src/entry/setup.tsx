import { useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input } from 'antd'
import { useState } from 'react'
import { api, keepCsrf } from '../api/client'
import { useSignIn } from '../api/session'
import { ProblemNote } from '../parts/problem'
import { language, t } from '../words'
import { EntryFrame } from './frame'

interface Filled {
  username: string
  password: string
}

/** The one-time link leads here: the first administrator, then the wizard. */
export function Setup({ token }: { token: string }) {
  const signIn = useSignIn()
  const queries = useQueryClient()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const create = async ({ username, password }: Filled) => {
    setBusy(true)
    try {
      const made = await api.post('setup/administrator', { body: { token, username, password, language: language() } })
      if (made?.csrf && made.user) {
        keepCsrf(made.csrf)
        queries.setQueryData(['session'], made)
      } else await signIn(username, password)
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return (
    <EntryFrame>
      <h1>{t('setup.title')}</h1>
      <p className="quiet">{t('setup.intro')}</p>
      <Form layout="vertical" requiredMark={false} onFinish={(form: Filled) => void create(form)} style={{ marginTop: 16 }}>
        <Form.Item name="username" label={t('signin.user')} rules={[{ required: true, message: t('signin.user') }]}>
          <Input autoFocus autoComplete="username" size="large" />
        </Form.Item>
        <Form.Item name="password" label={t('signin.password')} rules={[{ required: true, min: 12, message: t('setup.short') }]}>
          <Input.Password autoComplete="new-password" size="large" />
        </Form.Item>
        <Form.Item
          name="repeat"
          label={t('setup.repeat')}
          dependencies={['password']}
          rules={[({ getFieldValue }) => ({
            validator: (_, value) => (value === getFieldValue('password') ? Promise.resolve() : Promise.reject(new Error(t('setup.differs')))),
          })]}
        >
          <Input.Password autoComplete="new-password" size="large" />
        </Form.Item>
        <ProblemNote error={problem} />
        <Button type="primary" htmlType="submit" block size="large" loading={busy} style={{ marginTop: 12 }}>{t('setup.create')}</Button>
      </Form>
    </EntryFrame>
  )
}
