import { expect, test } from 'vitest'
import { aboutSpeed } from './about'

test('a speed out of pictures is never told without how far it may be off, and that is rounded up', () => {
  expect(aboutSpeed(47.2, 2.6)).toBe('about 47 ± 6 km/h (estimate)')
  expect(aboutSpeed(30, 0.1)).toBe('about 30 ± 1 km/h (estimate)')
})
