import { expect, it } from 'vitest'
import { setLanguage } from '../words'
import { named } from './named'

it('names the demo city in the language of who reads, and leaves alone what others call themselves', () => {
  const city = ['Demo city', 'drawn for the demo', '© OpenStreetMap contributors, ODbL 1.0']
  setLanguage('zh-CN')
  expect(city.map(named)).toEqual(['演示城市', '为演示绘制', '© OpenStreetMap contributors, ODbL 1.0'])
  setLanguage('en')
  expect(city.map(named)).toEqual(city)
})
