/** A small real world for tests and demos: a server and devices in one process, with network weather. */
export { MortalStore, type Death } from './mortal-store.ts'
export { ShiftedClock } from './shifted-clock.ts'
export { Thief } from './thief.ts'
export { until } from './until.ts'
export { Weather, type Forge, type ForgeAnswer } from './weather.ts'
export { openWorld, PASSWORD, type World } from './world.ts'
export { noticesOf, textsOf, type WorldDevice } from './world-device.ts'
