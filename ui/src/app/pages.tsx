import {
  AlertOutlined, ApartmentOutlined, AuditOutlined, BankOutlined, ExportOutlined, HeartOutlined, HistoryOutlined, SettingOutlined,
  TeamOutlined, VideoCameraOutlined, AppstoreOutlined, CarOutlined, CompassOutlined, AimOutlined, FileProtectOutlined, FolderOpenOutlined, NodeIndexOutlined, NotificationOutlined, SendOutlined,
} from '@ant-design/icons'
import type { ReactNode } from 'react'
import { useMe } from '../api/session'
import type { Key } from '../words'

export interface PageEntry {
  path: string
  words: Key
  icon: ReactNode
  /** Pressed after g. */
  key: string
  /** Daily work, at the top of the rail; the others stand at its end. */
  main: boolean
  /** In the rail of small screens, which has room for a few; the others are behind More. */
  pocket?: boolean
  /** Shown only to those who may do this; without it to everybody. */
  may?: string
}

/** The pages that somebody with these rights has any use for. */
export function usePageEntries(): PageEntry[] {
  const { data } = useMe()
  if (!data) return []
  const all = data.permissions.includes('*') || data.roles.includes('administrator')
  return PAGES.filter((page) => !page.may || all || data.permissions.includes(page.may))
}

export const PAGES: PageEntry[] = [
  { path: '/live', words: 'page.live', icon: <AppstoreOutlined />, key: 'l', main: true, pocket: true },
  { path: '/playback', words: 'page.playback', icon: <HistoryOutlined />, key: 'p', main: true, pocket: true },
  { path: '/alarms', words: 'page.alarms', icon: <AlertOutlined />, key: 'a', main: true, pocket: true },
  { path: '/devices', words: 'page.devices', icon: <VideoCameraOutlined />, key: 'd', main: true, pocket: true },
  { path: '/tollgates', words: 'page.tollgates', icon: <CarOutlined />, key: 't', main: true, may: 'tollgate.see' },
  { path: '/watches', words: 'page.watches', icon: <AimOutlined />, key: 'b', main: true, pocket: true, may: 'watch.see' },
  { path: '/violations', words: 'page.violations', icon: <FileProtectOutlined />, key: 'v', main: true, may: 'violation.see' },
  { path: '/cases', words: 'page.cases', icon: <FolderOpenOutlined />, key: 'c', main: true, may: 'case.see' },
  { path: '/vehicles', words: 'page.vehicles', icon: <SendOutlined />, key: 'f', main: true, may: 'vehicle.track' },
  { path: '/traffic', words: 'page.traffic', icon: <NodeIndexOutlined />, key: 'm', main: true, may: 'traffic.see' },
  { path: '/duty', words: 'page.duty', icon: <NotificationOutlined />, key: 'y', main: true, may: 'sign.view' },
  { path: '/health', words: 'page.health', icon: <HeartOutlined />, key: 'h', main: true, may: 'health.see' },
  { path: '/exports', words: 'page.exports', icon: <ExportOutlined />, key: 'x', main: false, may: 'export.see' },
  { path: '/areas', words: 'page.areas', icon: <BankOutlined />, key: 'r', main: false },
  { path: '/organisations', words: 'page.organisations', icon: <ApartmentOutlined />, key: 'o', main: false },
  { path: '/users', words: 'page.users', icon: <TeamOutlined />, key: 'u', main: false, may: 'user.see' },
  { path: '/audit', words: 'page.audit', icon: <AuditOutlined />, key: 'j', main: false, may: 'audit.see' },
  { path: '/settings', words: 'page.settings', icon: <SettingOutlined />, key: 's', main: false },
  { path: '/wizard', words: 'page.wizard', icon: <CompassOutlined />, key: 'w', main: false, may: 'settings.change' },
]
