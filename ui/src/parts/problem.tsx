import { Alert, Button } from 'antd'
import { Problem } from '../api/client'
import { maybe, serverWords, t, useLanguage } from '../words'

/** What happened, in the reader's words: ours for known codes, else the server's sentence. */
export function sentence(error: unknown): string {
  if (error instanceof Problem) {
    // The server speaks our language (Accept-Language) and knows its codes best.
    return error.body.detail ?? maybe(`problem.${error.code}`, error.params) ?? maybe(`step.${error.code}`, error.params) ?? t('problem.internal')
  }
  return t('problem.internal')
}

export function code(error: unknown): string {
  return error instanceof Problem ? error.code : 'internal'
}

/** The words of a failed step. */
export function stepWords(step: string, params?: Record<string, unknown>): string {
  if (!step) return ''
  return maybe(`step.${step}`, params) ?? serverWords(step, params) ?? maybe(`problem.${step}`, params) ?? t('step.unknown', { code: step })
}

export function ProblemNote({ error, retry }: { error: unknown; retry?: () => void }) {
  useLanguage()
  if (!error) return null
  const raw = error instanceof Problem ? error.body.detail : error instanceof Error ? error.message : ''
  return (
    <Alert
      type="error"
      showIcon
      message={sentence(error)}
      description={
        <details className="problem-details">
          <summary>{t('problem.code', { code: code(error) })}</summary>
          {raw}
        </details>
      }
      action={retry ? <Button size="small" onClick={retry}>{t('verb.retry')}</Button> : undefined}
    />
  )
}
