import { expect, test } from 'vitest'
import type { Violation } from '../api/types'
import { codeOf, type Decision, decided, EMPTY, filled, held, pace, passed, REASONS, settled, skipped, undone } from './desk'

const one = (id: string, more: Partial<Violation> = {}) => ({ id, ...more }) as Violation
const ids = (list: readonly Violation[]) => list.map((each) => each.id)
const PASS: Decision = { verdict: 'pass', plate: '', code: '' }

test('a decision goes out only with the next one, and can be taken back until then', () => {
  const full = filled(EMPTY, [one('a'), one('b'), one('c')])
  const first = decided(full, PASS)
  expect(first.send).toBeNull()
  expect(ids(first.desk.waiting)).toEqual(['b', 'c'])
  expect(ids(undone(first.desk).waiting)).toEqual(['a', 'b', 'c'])
  const second = decided(first.desk, { verdict: 'void', reason: REASONS[3]!, words: '' })
  expect(second.send).toEqual({ one: one('a'), decision: PASS })
  expect(settled(second.desk).send?.one.id).toBe('b')
  expect(undone(settled(second.desk).desk)).toEqual({ waiting: [one('c')], last: null })
})

test('what is on the desk is not laid on it twice, also not what waits to be sent', () => {
  const desk = decided(filled(EMPTY, [one('a'), one('b')]), PASS).desk
  expect(held(desk)).toEqual(['b', 'a'])
  expect(ids(filled(desk, [one('a'), one('b'), one('c')]).waiting)).toEqual(['b', 'c'])
})

test('what is put off comes last, and an empty desk stays empty', () => {
  expect(ids(skipped(filled(EMPTY, [one('a'), one('b')])).waiting)).toEqual(['b', 'a'])
  expect(skipped(EMPTY)).toEqual(EMPTY)
  expect(decided(EMPTY, PASS)).toEqual({ desk: EMPTY, send: null })
})

test('the pace is told once there is one', () => {
  expect(pace([0, 7_200])).toBeNull()
  expect(pace([0, 7_200, 14_400])).toBe(500)
})

test('a speed goes on with the code that the first review enters, and what is right already is not said again', () => {
  const speed = one('a', { plate: '皖A12B45', code: '' })
  expect(passed(speed, '皖A12B45', codeOf(' 1352a-'))).toEqual({ verdict: 'pass', plate: '', code: '1352A' })
  expect(passed(one('b', { plate: '皖A1?B45', code: '1625' }), '皖A12B45', '1625')).toEqual({ verdict: 'pass', plate: '皖A12B45', code: '' })
  expect(codeOf('1234567890123')).toBe('1234567890')
})
