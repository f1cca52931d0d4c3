/** The server as a part of another program: tests, benchmarks and demos open houses in their own process. */
export { openHouse, type House, type HouseEffects } from './house.ts'
export { readSettings, settingsTable, settingsWith, SettingsError, type Settings } from './settings.ts'
export { createLog, type Log } from './log.ts'
export { systemClock, type Clock } from './clock.ts'
export { systemRandom, type Random } from './random.ts'
export { namedRoutes, type NamedRoute } from './gateway/http-routes.ts'
export { openDatabase } from './storage/database.ts'
