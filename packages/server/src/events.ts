/**
 * What the server may say about itself in its log: each event with its level and its fields. A field that is not declared
 * here cannot reach a log line, so no content, token, handle, account or network address can.
 */

export const logEvents = {
  listening: { level: 'info', fields: ['url', 'port', 'metricsPort'] },
  stopping: { level: 'info', fields: [] },
  stopped: { level: 'info', fields: ['ms'] },
  request: { level: 'debug', fields: ['requestId', 'route', 'status', 'failure', 'ms'] },
  fault: { level: 'error', fields: ['requestId', 'where', 'error', 'code', 'trace'] },
  database_damaged: { level: 'error', fields: ['entries', 'structure'] },
  redis_up: { level: 'info', fields: [] },
  redis_lost: { level: 'warn', fields: [] },
  secrets_made: { level: 'info', fields: [] },
  account_made: { level: 'info', fields: ['method'] },
  signed_in: { level: 'info', fields: ['method'] },
  sign_in_failed: { level: 'info', fields: ['method'] },
  session_family_ended: { level: 'warn', fields: [] },
  device_linked: { level: 'info', fields: [] },
  account_reset: { level: 'warn', fields: [] },
  device_enrolled: { level: 'info', fields: [] },
  device_list_offered_again: { level: 'info', fields: [] },
  devices_removed: { level: 'info', fields: ['count'] },
  web_app_missing: { level: 'warn', fields: [] },
} as const satisfies Record<string, { level: 'debug' | 'info' | 'warn' | 'error'; fields: readonly string[] }>

export type LogEvents = typeof logEvents
