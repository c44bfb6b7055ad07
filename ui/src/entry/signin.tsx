import { useQuery } from '@tanstack/react-query'
import { Button, Form, Input } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import { useSignIn } from '../api/session'
import { ProblemNote } from '../parts/problem'
import { t } from '../words'
import { EntryFrame } from './frame'

export function SignIn() {
  const signIn = useSignIn()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const setup = useQuery({ queryKey: ['setup'], queryFn: () => api.get('setup') })
  const needed = setup.data?.needed ?? setup.data?.administrator === false
  const submit = async (form: { username: string; password: string }) => {
    setBusy(true)
    try {
      await signIn(form.username, form.password)
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return (
    <EntryFrame>
      <h1>{t('signin.title')}</h1>
      {needed && <p className="quiet">{t('setup.needed')}</p>}
      <Form layout="vertical" requiredMark={false} onFinish={(form: { username: string; password: string }) => void submit(form)} style={{ marginTop: 16 }}>
        <Form.Item name="username" label={t('signin.user')} rules={[{ required: true, message: t('signin.user') }]}>
          <Input autoFocus autoComplete="username" size="large" />
        </Form.Item>
        <Form.Item name="password" label={t('signin.password')} rules={[{ required: true, message: t('signin.password') }]}>
          <Input.Password autoComplete="current-password" size="large" />
        </Form.Item>
        <ProblemNote error={problem} />
        <Button type="primary" htmlType="submit" block size="large" loading={busy} style={{ marginTop: 12 }}>{t('signin.title')}</Button>
      </Form>
    </EntryFrame>
  )
}
