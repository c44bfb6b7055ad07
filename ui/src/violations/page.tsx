import { Tabs } from 'antd'
import { useSearchParams } from 'react-router'
import { useMay } from '../api/session'
import { t, useLanguage } from '../words'
import { ViolationList } from './list'
import { Review } from './review'
import { Rules } from './rules'
import { Scenes } from './scenes'

/** Candidates of traffic offences: a desk for each review, all of them, and what they are judged by. */
export function ViolationsPage() {
  useLanguage()
  const [query, setQuery] = useSearchParams()
  const mayReview = useMay('violation.review')
  const mayConfirm = useMay('violation.confirm')
  const mayChange = useMay('violation.change')
  const items = [
    ...(mayReview ? [{ key: 'first', label: t('violation.queue.first'), children: <Review queue="first" /> }] : []),
    ...(mayConfirm ? [{ key: 'second', label: t('violation.queue.second'), children: <Review queue="second" /> }] : []),
    { key: 'list', label: t('violation.queue.all'), children: <ViolationList /> },
    ...(mayChange ? [{ key: 'rules', label: t('violation.rules'), children: <Rules /> }, { key: 'scenes', label: t('violation.scenes'), children: <Scenes /> }] : []),
  ]
  const tab = items.find((each) => each.key === query.get('tab'))?.key ?? items[0]!.key
  return (
    <div className="page">
      <div className="page-head"><h1>{t('page.violations')}</h1><span className="grow" /><span className="quiet">{t('violation.logged')}</span></div>
      <Tabs className="page-tabs" activeKey={tab} onChange={(key) => setQuery({ tab: key })} items={items} destroyOnHidden />
    </div>
  )
}
