import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { App as AntApp, ConfigProvider, Spin } from 'antd'
import en from 'antd/locale/en_US'
import zh from 'antd/locale/zh_CN'
import { lazy, Suspense, useEffect } from 'react'
import { BrowserRouter, Navigate, Route, Routes, useLocation } from 'react-router'
import { Problem, whenSignedOut } from '../api/client'
import { listen } from '../api/events'
import { useMe } from '../api/session'
import { Setup } from '../entry/setup'
import { SignIn } from '../entry/signin'
import { LivePage } from '../live/page'
import { nonce } from '../look/nonce'
import { antTheme, applyLook, look } from '../look/theme'
import { ProblemNote } from '../parts/problem'
import { useStore } from '../parts/store'
import { setZone } from '../parts/times'
import { t, useLanguage } from '../words'
import { Shell } from './shell'

const PlaybackPage = lazy(() => import('../playback/page').then((m) => ({ default: m.PlaybackPage })))
const DevicesPage = lazy(() => import('../devices/page').then((m) => ({ default: m.DevicesPage })))
const DevicePage = lazy(() => import('../devices/device').then((m) => ({ default: m.DevicePage })))
const ChannelPage = lazy(() => import('../devices/channel').then((m) => ({ default: m.ChannelPage })))
const AlarmsPage = lazy(() => import('../alarms/page').then((m) => ({ default: m.AlarmsPage })))
const TollgatesPage = lazy(() => import('../tollgates/page').then((m) => ({ default: m.TollgatesPage })))
const WatchesPage = lazy(() => import('../watches/page').then((m) => ({ default: m.WatchesPage })))
const ViolationsPage = lazy(() => import('../violations/page').then((m) => ({ default: m.ViolationsPage })))
const CasesPage = lazy(() => import('../cases/page').then((m) => ({ default: m.CasesPage })))
const CasePage = lazy(() => import('../cases/case').then((m) => ({ default: m.CasePage })))
const FleetPage = lazy(() => import('../fleet/page').then((m) => ({ default: m.FleetPage })))
const TrafficPage = lazy(() => import('../traffic/page').then((m) => ({ default: m.TrafficPage })))
const DutyPage = lazy(() => import('../duty/page').then((m) => ({ default: m.DutyPage })))
const PhonePage = lazy(() => import('../phone/page').then((m) => ({ default: m.PhonePage })))
const HealthPage = lazy(() => import('../health/page').then((m) => ({ default: m.HealthPage })))
const ExportsPage = lazy(() => import('../playback/exports').then((m) => ({ default: m.ExportsPage })))
const PlacesPage = lazy(() => import('../admin/places').then((m) => ({ default: m.PlacesPage })))
const UsersPage = lazy(() => import('../admin/users').then((m) => ({ default: m.UsersPage })))
const AuditPage = lazy(() => import('../admin/audit').then((m) => ({ default: m.AuditPage })))
const SettingsPage = lazy(() => import('../admin/settings').then((m) => ({ default: m.SettingsPage })))
const WizardPage = lazy(() => import('../wizard/page').then((m) => ({ default: m.WizardPage })))

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 3 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
    },
  },
})

export function App() {
  const spoken = useLanguage()
  const { name } = useStore(look)
  useEffect(applyLook, [name])
  useEffect(() => {
    document.title = t('app.name')
  }, [spoken])
  return (
    <ConfigProvider
      csp={{ nonce: nonce() }}
      locale={spoken === 'en' ? en : zh}
      theme={antTheme(name)}
      componentSize="middle"
      wave={{ disabled: true }}
      button={{ autoInsertSpace: false }}
    >
      <AntApp component={false}>
        <QueryClientProvider client={queries}>
          <BrowserRouter>
            <Gate />
          </BrowserRouter>
        </QueryClientProvider>
      </AntApp>
    </ConfigProvider>
  )
}

function Gate() {
  const me = useMe()
  const where = useLocation()
  const token = new URLSearchParams(where.search).get('setup')
  const signedIn = Boolean(me.data)
  useEffect(() => {
    whenSignedOut(() => queries.setQueryData(['session'], null))
  }, [])
  useEffect(() => {
    setZone(me.data?.zone)
  }, [me.data?.zone])
  useEffect(() => (signedIn ? listen(queries) : undefined), [signedIn])

  // A phone on duty goes on without a session, and without a network.
  if (where.pathname === '/phone') return <Suspense fallback={<div className="empty"><Spin /></div>}><PhonePage me={me} /></Suspense>
  if (token !== null && !signedIn) return <Setup token={token} />
  if (me.isPending) return <div className="empty" role="status"><Spin /><span className="hidden-text">{t('word.loading')}</span></div>
  if (me.isError) return <div className="entry"><div className="entry-box"><ProblemNote error={me.error} retry={() => void me.refetch()} /></div></div>
  if (!me.data) return <SignIn />
  // Whoever came by the one-time link goes on to the first run.
  if (token !== null) return <Navigate to="/wizard" replace />
  return <Pages />
}

function Pages() {
  return (
    <Suspense fallback={<Shell><div className="empty"><Spin /></div></Shell>}>
      <Routes>
        <Route path="/wizard" element={<WizardPage />} />
        <Route path="/" element={<Navigate to="/live" replace />} />
        <Route path="/live" element={<Shell><LivePage /></Shell>} />
        <Route path="/live/:channel" element={<Shell><LivePage /></Shell>} />
        <Route path="/playback" element={<Shell><PlaybackPage /></Shell>} />
        <Route path="/alarms" element={<Shell><AlarmsPage /></Shell>} />
        <Route path="/devices" element={<Shell><DevicesPage /></Shell>} />
        <Route path="/devices/:id" element={<Shell><DevicePage /></Shell>} />
        <Route path="/channels/:id" element={<Shell><ChannelPage /></Shell>} />
        <Route path="/tollgates" element={<Shell><TollgatesPage /></Shell>} />
        <Route path="/watches" element={<Shell><WatchesPage /></Shell>} />
        <Route path="/violations" element={<Shell><ViolationsPage /></Shell>} />
        <Route path="/cases" element={<Shell><CasesPage /></Shell>} />
        <Route path="/cases/:id" element={<Shell><CasePage /></Shell>} />
        <Route path="/vehicles" element={<Shell><FleetPage /></Shell>} />
        <Route path="/traffic" element={<Shell><TrafficPage /></Shell>} />
        <Route path="/duty" element={<Shell><DutyPage /></Shell>} />
        <Route path="/health" element={<Shell><HealthPage /></Shell>} />
        <Route path="/exports" element={<Shell><ExportsPage /></Shell>} />
        <Route path="/areas" element={<Shell><PlacesPage what="areas" /></Shell>} />
        <Route path="/organisations" element={<Shell><PlacesPage what="organisations" /></Shell>} />
        <Route path="/users" element={<Shell><UsersPage /></Shell>} />
        <Route path="/audit" element={<Shell><AuditPage /></Shell>} />
        <Route path="/settings" element={<Shell><SettingsPage /></Shell>} />
        <Route path="*" element={<Navigate to="/live" replace />} />
      </Routes>
    </Suspense>
  )
}
