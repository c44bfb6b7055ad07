// What the API answers (docs/design/contracts.md). Ids are shown ids; `_us` are microseconds UTC, other times RFC 3339.

export interface Page<T> {
  items: T[]
  next: string | null
}

export interface Me {
  user: { id: string; username: string; name?: string }
  roles: string[]
  permissions: string[]
  csrf: string
  language: string
  zone: string
}

export type StreamState = 'running' | 'idle' | 'lost' | 'opening' | 'offline' | 'never' | 'online' | 'refused'

export interface TreeNode {
  id: string
  kind: 'area' | 'device' | 'channel'
  name: string
  code?: string
  state?: StreamState
  ptz?: boolean
  recording?: boolean
  demo?: boolean
  simulated?: boolean
  /** Channels below: all, and those with a picture or ready to give one. */
  total?: number
  online?: number
  has_children?: boolean
}

export interface Channel {
  id: string
  name: string
  code?: string
  device: string
  device_name?: string
  area?: string | null
  area_name?: string
  organisation?: string | null
  state: StreamState
  step?: string
  params?: Record<string, unknown>
  ptz?: boolean
  qualities?: string[]
  recording?: boolean
  record?: RecordPolicy
  tags?: string[]
  simulated?: boolean
  enabled?: boolean
  sentence?: string
  manufacturer?: string
  model?: string
}

export interface Span {
  weekday: number
  start_minute: number
  end_minute: number
}

export interface RecordPolicy {
  mode: 'off' | 'continuous' | 'schedule'
  quality?: string
  schedule?: Span[]
  zone?: string
  pre_roll_seconds?: number
  post_roll_seconds?: number
  retention_days?: number
  max_bytes?: number
  floor_days?: number
}

export interface Device {
  id: string
  name: string
  kind: 'gb28181' | 'rtsp'
  code?: string
  url?: string
  username?: string
  area?: string | null
  organisation?: string | null
  state: StreamState
  step?: string
  params?: Record<string, unknown>
  address?: string
  transport?: string
  manufacturer?: string
  model?: string
  firmware?: string
  user_agent?: string
  version?: string
  channels?: number
  last_keepalive?: string | null
  since?: string | null
  clock_offset_ms?: number
  sentence?: string
  sub_url?: string
  simulated?: boolean
  enabled?: boolean
}

export interface Registration {
  server?: string
  host?: string
  port?: number
  platform_code?: string
  domain?: string
  device_code?: string
  username?: string
  password?: string
  transport?: string
}

export interface UnknownDevice {
  code: string
  address: string
  transport: string
  user_agent: string
  last_seen: string
  attempts: number
}

export interface MediaTicket {
  url: string
  expires: string
  quality: string
  codecs: string[] | null
}

export interface Piece {
  start_us: number
  end_us: number
  held?: boolean
  origin?: string
}

export interface GapSpan {
  start_us: number
  end_us: number
  cause: string
  detail?: string
}

export interface Timeline {
  channel?: string
  pieces: Piece[]
  gaps: GapSpan[]
}

export interface PtzLock {
  owner: string | null
  owner_name?: string | null
  mine?: boolean
  priority?: number
  until?: string | null
}

export interface Preset {
  number: number
  name: string
}

export interface Place {
  kind?: string
  zone?: string
  id: string
  name: string
  code?: string
  level?: string
  parent?: string | null
  children?: number
  has_children?: boolean
}

export interface User {
  id: string
  username: string
  name?: string
  roles: string[]
  areas?: string[]
  organisations?: string[]
  disabled?: boolean
  enabled?: boolean
  language?: string
  zone?: string
  grants?: { role: string; area_path: string; deny?: boolean }[]
  created_at?: string
}

export interface UserSession {
  id: string
  address?: string
  user_agent?: string
  created_at?: string
  last_seen?: string
  current?: boolean
}

export interface Alarm {
  id: string
  at: string
  kind: string
  priority: number
  state: string
  channel?: string | null
  channel_name?: string | null
  device?: string | null
  device_name?: string | null
  description?: string
  acknowledged_by?: string | null
  acknowledged_at?: string | null
  has_picture?: boolean
  name?: string
}

export interface StreamHealth {
  channel: string
  channel_name?: string
  name?: string
  quality: string
  state: string
  step: string
  params?: Record<string, unknown>
  codec: string
  width: number
  height: number
  bits_per_second: number
  frames_per_second: number
  last_frame_at: string | null
  packets: number
  packets_lost: number
  units_damaged?: number
  viewers: number
  recording: boolean
  transport: string
  audio?: string
  reconnects?: number
  opened_at?: string | null
  sentence?: string
}

export interface VolumeHealth {
  name: string
  path: string
  state: string
  layout: string
  mode: string
  total_bytes: number
  free_bytes: number
  recorded_bytes: number
  held_bytes: number
  code?: string
  slot?: string
  sentence?: string
}

export interface ProcessHealth {
  name: string
  state: string
  pid?: number | null
  since?: string | null
  restarts?: number
  lag_ms?: number | null
  memory_bytes?: number | null
  step?: string
  sentence?: string
}

export interface Health {
  streams: StreamHealth[]
  volumes: VolumeHealth[]
  processes: ProcessHealth[]
  now?: string
  udp_drops?: number
}

export interface AuditRecord {
  id: string
  at: string
  actor?: string | null
  actor_name?: string | null
  action: string
  object?: string | null
  object_name?: string | null
  outcome?: string
  object_kind?: string
  hash?: string
  address?: string
  reason?: string | null
  details?: Record<string, unknown>
}

export interface Hold {
  id: string
  channel: string
  channel_name?: string
  start: string
  end: string
  reason: string
  created_by?: string
  created_at?: string
}

export interface ExportJob {
  id: string
  product: 'evidence' | 'viewing'
  channel?: string
  channels?: string[]
  channel_name?: string
  start: string
  end: string
  state: string
  progress?: number
  reason?: string
  code?: string
  created_at?: string
  sentence?: string
  created_by?: string
  files?: { name: string; bytes: number; sha256?: string }[]
}

export interface SavedView {
  id: string
  name: string
  layout: { size: number; tiles: (string | null)[] }
  shared?: boolean
}

export interface SavedTour {
  id: string
  name: string
  seconds: number
  channels: string[]
  size?: number
}

export interface Hit {
  kind: 'channel' | 'device' | 'area' | 'organisation' | 'user'
  id: string
  name: string
  detail?: string
  state?: StreamState
}

export interface Platform {
  name: string
  code: string
  domain: string
  public_host: string
  area_code: string
  language: string
  zone: string
  clock_source: 'system' | 'ntp' | 'manual'
  ntp_server: string
  retention_days: number
  floor_days: number
  demo: boolean
  wizard_done: boolean
  sip_port: number
  media_port: number
  remarks: { code: string; sentence: string }[]
}

export interface WizardState {
  done: boolean
  steps: { name: string; done: boolean }[]
  platform: Platform
  menus: { maker: string; name: Record<string, string>; path: Record<string, string[]>; fields: Record<string, Record<string, string>>; notes: string[] }[]
  now_us: number
}
