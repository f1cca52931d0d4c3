import { expect, test } from 'vitest'
import { deviceName } from './device-name.ts'

test('a device is named after its browser and system', () => {
  const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36'
  const edge = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0'
  const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/604.1'
  expect(deviceName(chrome)).toBe('Chrome on Linux')
  expect(deviceName(edge)).toBe('Edge on Windows')
  expect(deviceName(phone)).toBe('Safari on iOS')
})

test('an unknown browser has a name all the same', () => {
  expect(deviceName('curl/8')).toBe('Browser')
})
