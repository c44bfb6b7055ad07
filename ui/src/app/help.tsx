import { Modal } from 'antd'
import { usePageEntries } from './pages'
import { type Key, t, useLanguage } from '../words'

type Group = [Key, [string[], Key][]]

const GROUPS: Group[] = [
  ['help.everywhere', [[['Ctrl', 'K'], 'help.search'], [['?'], 'help.this']]],
  ['page.live', [
    [['1', '–', '9'], 'keys.tiles'], [['T'], 'keys.tour'], [['←', '↑', '↓', '→'], 'keys.ptz'], [['+', '−'], 'keys.zoom'], [['Z'], 'keys.take'],
    [[',', '.', '[', ']'], 'keys.lens'], [['P', 'C', 'X', 'W', 'H'], 'keys.functions'], [['D'], 'keys.rectangle'],
    [['F'], 'keys.full'],
    [['M'], 'keys.sound'], [['R'], 'keys.replay'], [['S'], 'keys.snapshot'], [['Del'], 'keys.close'],
  ]],
  ['page.playback', [
    [['Space'], 'keys.play'], [['J', 'K', 'L'], 'keys.speed'], [[',', '.'], 'keys.frame'], [['[', ']'], 'keys.range'], [['←', '→'], 'keys.skip'],
    [['E'], 'keys.export'], [['N', 'P'], 'keys.find'],
  ]],
  ['page.alarms', [[['↑', '↓'], 'keys.move'], [['A'], 'keys.acknowledge']]],
  ['page.watches', [[['↑', '↓'], 'keys.move'], [['A'], 'keys.sign']]],
  ['page.violations', [[['Enter'], 'keys.pass'], [['1', '–', '0'], 'keys.void'], [['E'], 'keys.plate'], [['U'], 'keys.undo'], [['N'], 'keys.later']]],
]

export function Help({ open, onClose }: { open: boolean; onClose: () => void }) {
  useLanguage()
  const pages = usePageEntries().map((page): Group[1][number] => [['G', page.key.toUpperCase()], page.words])
  const groups: Group[] = [...GROUPS, ['help.pages', pages]]
  return (
    <Modal open={open} onCancel={onClose} footer={null} title={t('help.title')} width={960}>
      <div style={{ columns: '3 260px', columnGap: 32 }}>
        {groups.map(([title, rows]) => (
          <section key={title} style={{ breakInside: 'avoid' }}>
            <h2 style={{ marginBottom: 8 }}>{t(title)}</h2>
            <dl className="keys">
              {rows.map(([keys, words]) => (
                <div key={words} style={{ display: 'contents' }}>
                  <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
                  <dd>{t(words)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  )
}
