/** Every address of the app. A conversation's address is its id: it names nobody. */
import type { ConversationId } from '@tacit/sdk'

export const paths = {
  home: '/',
  signIn: '/sign-in',
  signUp: '/sign-up',
  newDirect: '/new',
  newGroup: '/new/group',
  requests: '/requests',
  settings: '/settings',
  held: '/settings/held',
  kit: '/settings/kit',
  history: '/settings/history',
  encryption: '/settings/encryption',
  events: '/settings/events',
  conversation: (id: ConversationId) => `/c/${id}`,
  about: (id: ConversationId) => `/c/${id}/about`,
} as const

export const patterns = {
  conversation: '/c/:id',
  about: '/c/:id/about',
  anyConversation: '/c/:id/*?',
} as const
