import { Button } from 'antd'
import { t } from '../words'

/** The way to the next part of a list; nothing where there is none. */
export function More({ more }: { more: (() => void) | undefined }) {
  return more ? <Button size="small" onClick={more}>{t('word.more')}</Button> : null
}
