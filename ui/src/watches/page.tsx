import { PlusOutlined } from '@ant-design/icons'
import { Button, Tabs } from 'antd'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { useMay } from '../api/session'
import { t, useLanguage } from '../words'
import { WatchForm } from './form'
import { Hits } from './hits'
import { WatchList } from './list'

/** Standing orders to alarm when a vehicle appears: what they met, all of them, and what waits for a second person. */
export function WatchesPage() {
  useLanguage()
  const [query, setQuery] = useSearchParams()
  const [proposing, setProposing] = useState(false)
  const mayPropose = useMay('watch.propose')
  const mayApprove = useMay('watch.approve')
  const items = [
    { key: 'hits', label: t('watch.hits'), children: <Hits /> },
    { key: 'watches', label: t('watch.list'), children: <WatchList /> },
    ...(mayApprove ? [{ key: 'queue', label: t('watch.queue'), children: <WatchList queue /> }] : []),
  ]
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('page.watches')}</h1>
        <span className="grow" />
        {mayPropose && <Button type="primary" icon={<PlusOutlined />} onClick={() => setProposing(true)}>{t('watch.propose')}</Button>}
      </div>
      <Tabs className="page-tabs" activeKey={query.get('tab') ?? 'hits'} onChange={(key) => setQuery({ tab: key })} items={items} destroyOnHidden />
      {proposing && <WatchForm onClose={() => setProposing(false)} />}
    </div>
  )
}
