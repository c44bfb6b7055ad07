import type { ClockStanding, TimeServer } from '../api/types'
import { t } from '../words'
import { Age } from './age'

/** Seconds with a sign, to the millisecond. */
export function offset(us: number): string {
  return `${us < 0 ? '−' : '+'}${(Math.abs(us) / 1e6).toFixed(3)} s`
}

export const clockTrouble = (clock: ClockStanding) => ['off', 'disagreeing', 'silent'].includes(clock.state)

/** What is known of the platform's clock: one sentence, then each server. */
export function ClockPanel({ clock }: { clock: ClockStanding }) {
  return (
    <div className="panel column">
      <p className={clockTrouble(clock) || (clock.state === 'unmeasured' && clock.kept === false) ? 'p3' : ''}>
        {clockTrouble(clock) ? '▲ ' : ''}{clock.sentence}
      </p>
      {clock.servers.map((server) => <ServerRow key={server.name} server={server} />)}
    </div>
  )
}

function ServerRow({ server }: { server: TimeServer }) {
  return (
    <dl className="facts">
      <dt className="mono">{server.name}</dt>
      <dd>
        {server.at ? (
          <>
            <span className="mono">{offset(server.offset_us)}</span>
            <span className="quiet"> · {t('clock.way', { ms: (server.delay_us / 1000).toFixed(1) })} · {t('clock.stratum', { n: server.stratum })} · <Age at={server.at} /></span>
          </>
        ) : null}
        {server.code && <span className="p3"> ▲ {server.sentence || server.code}</span>}
      </dd>
    </dl>
  )
}
