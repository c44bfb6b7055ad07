import { expect, test } from 'vitest'
import { fits } from './zones'

test('a strip of road is a zone, also with a bend', () => {
  expect(fits([[0.1, 0.9], [0.3, 0.9], [0.4, 0.5], [0.3, 0.5]])).toBe(true)
  expect(fits([[0.1, 0.9], [0.3, 0.9], [0.5, 0.6], [0.5, 0.4], [0.3, 0.6]])).toBe(true)
})

test('corners in the wrong order, a line, and a slip of the hand are none', () => {
  expect(fits([[0.1, 0.9], [0.4, 0.5], [0.3, 0.9], [0.3, 0.5]])).toBe(false)
  expect(fits([[0.1, 0.1], [0.5, 0.5]])).toBe(false)
  expect(fits([[0.1, 0.1], [0.11, 0.1], [0.11, 0.11]])).toBe(false)
})
