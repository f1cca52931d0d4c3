import { expect, test } from 'vitest'
import { againstGoals } from './mls-goals.ts'
import type { Rounds } from './mls-rounds.ts'

const rounds = (members: number, milliseconds: Readonly<Record<string, number>>): Rounds => ({
  engine: 'ours',
  members,
  measured: Object.entries(milliseconds).map(([name, median]) => ({ name, milliseconds: median, least: median, most: median })),
})

test('a figure is held against its goal as it is, and as the machine of the goals would have shown it', () => {
  const measured = [rounds(10, { 'open 200 B': 0.2, join: 300 }), rounds(1000, { 'open 200 B': 0.16, join: 90, 'process it': 31 })]
  const goals = againstGoals(measured, { place: 'node', verification: 0.204 })
  expect(goals.map(({ name, here, there, met }) => [name, here, Number(there.toFixed(3)), met])).toEqual([
    ['open 200 B', 0.2, 0.067, 'there'],
    ['join', 90, 30, 'here'],
    ['process it', 31, 10.333, 'no'],
  ])
})
