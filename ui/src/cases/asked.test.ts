import { describe, expect, it } from 'vitest'
import { setLanguage } from '../words'
import { askedWords } from './asked'

describe('what a search of a case asked for', () => {
  it('is said in words, with no code of the platform left', () => {
    setLanguage('zh-CN')
    const passages = { plate: '皖A12B45', near: true, plate_colour: 'blue', colour: 'white', vehicle_class: 'H11', direction: 'west_east', lane: 2, area: 'ar_1' }
    expect(askedWords(passages)).toBe('号牌: 皖A12B45 · 含误读: 是 · 号牌颜色: 蓝 · 车身颜色: 白 · 车型: 重型货车 · 方向: 由西向东 · 车道: 2')
    expect(askedWords({ states: 'confirmed void', kind: 'red_light' })).toBe('状态: 已确认, 作废 · 类型: 闯红灯')
    expect(askedWords({ sensitivity: 'low', precise: true })).toBe('灵敏度: 粗略 · 精确: 是')
    setLanguage('en')
    expect(askedWords({ state: 'raised', priority: 1 })).toBe('State: raised · Priority: 1')
  })
})
