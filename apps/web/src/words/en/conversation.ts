/** Reading and writing in a conversation. */
export const conversation = {
  typing: {
    unnamed: 'typing…',
    one: '{{name}} is typing…',
    two: '{{first}} and {{second}} are typing…',
    several: '{{count}} people are typing…',
  },

  conversation: {
    label: 'Conversation with {{title}}',
    messages: 'Messages in {{title}}',
    back: 'Back to conversations',
    details: 'Details',
    online: 'online',
    people_one: '{{count}} person',
    people_other: '{{count}} people',
    unread: 'New',
    newer_one: '{{count}} new message',
    newer_other: '{{count}} new messages',
    toEnd: 'Jump to the latest message',
    earlier: 'Fetching earlier messages…',
    sealedDirect: 'Only you and {{name}} can read what is written here.',
    sealedGroup: 'Only the people in this group can read what is written here.',
  },

  standing: {
    joining: 'This device is joining the conversation…',
    left: 'You left this group. You can still read what was written before.',
    removed: 'You are no longer in this group. You can still read what was written before.',
    paused: 'This conversation is being repaired. What you write waits here.',
    stuck:
      'The server let a change through that breaks the rules of this conversation. It is stopped here, so that nobody reads along who should not. What was written stays.',
  },

  anew: {
    start: 'Start this group anew',
    title: 'Start this group anew?',
    text: 'A new group with the same name is made for these people. Each of them sees that it continues this one, by your word. Leave out whom you do not trust; this group and its history stay.',
    people: 'Take along',
    go: 'Start it',
    goesOn: 'Go on in the new group',
    unknown: 'a group that is not on this device',
  },

  removal: {
    waits: 'Removal asked for {{when}}, not effective yet',
    late: '{{name}} still reads what is written here',
    advice:
      'You asked for the removal of {{name}}: {{when}}. The server has not accepted it since, although it can be reached. Write nothing that {{name}} is not to read, and tell whoever runs the server.',
  },

  composer: { placeholder: 'Message', label: 'Message to {{title}}', send: 'Send' },

  message: {
    mine: 'You:',
    theirs: '{{name}}:',
    state: { sending: 'Sending', accepted: 'Sent', delivered: 'Delivered', read: 'Read', failed: 'Not sent' },
    failed: 'Not sent.',
    failedLeft: 'You are no longer in this conversation.',
    retry: 'Try again',
    copy: 'Copy',
    copied: 'Copied',
    discard: 'Discard',
    forget: 'Delete for me',
    forgetTitle: 'Delete this message for you?',
    forgetText: 'It goes from all your devices and from your archive. The others keep theirs.',
  },

  notice: {
    created: '{{by}} started this conversation',
    created_byMe: 'You started this conversation',
    joined: '{{by}} added {{person}}',
    joined_byMe: 'You added {{person}}',
    joinedMe: '{{by}} added you',
    joinedMe_byMe: 'You joined',
    removed: '{{by}} removed {{person}}',
    removed_byMe: 'You removed {{person}}',
    removedMe: '{{by}} removed you',
    removedMe_byMe: 'You left',
    left: '{{person}} left',
    leftMe: 'You left',
    renamed: '{{by}} named the group “{{title}}”',
    renamed_byMe: 'You named the group “{{title}}”',
    madeAdmin: '{{by}} made {{person}} an admin',
    madeAdmin_byMe: 'You made {{person}} an admin',
    madeMember: '{{by}} took the admin role from {{person}}',
    madeMember_byMe: 'You took the admin role from {{person}}',
    madeAdminMe: '{{by}} made you an admin',
    madeAdminMe_byMe: 'You became an admin',
    madeMemberMe: '{{by}} took the admin role from you',
    madeMemberMe_byMe: 'You gave the admin role back',
    deviceJoined: '{{person}} now also writes from a new device',
    deviceJoinedMe: 'You joined from a new device',
    deviceRemoved: '{{person}} removed one of their devices',
    deviceRemovedMe: 'You removed one of your devices',
    continued: '{{by}} says that this group goes on in a new one',
    continued_byMe: 'You started this group anew',
    continues: '{{by}} says that this group continues “{{title}}”',
    continues_byMe: 'You continue “{{title}}” here',
    historyBegins: 'This device joined here. Earlier messages are on your other devices.',
    identityChanged: 'The security identity of {{person}} has changed',
    tampering: 'The server did not deliver this conversation faithfully',
    advice: {
      identity:
        'This happens when {{name}} made a new account key, or when somebody pretends to be {{name}}. Ask them in person or by phone before you write anything private.',
      fork: 'People here were shown different messages. Compare by another way what each of you sees, and tell whoever runs the server.',
      gap: 'Something was left out. A message may be missing here. Tell the others by another way, and whoever runs the server.',
      key_log:
        'The server shows different keys to different people, or has rewritten its record of keys. Compare by another way who you are talking to before you write anything private, and tell whoever runs the server.',
      rollback:
        'The server lost the newest messages, perhaps because it was restored from a backup. Yours are sent again. Ask whoever runs the server.',
      replay: 'Something old was delivered again. It was not shown a second time. Tell whoever runs the server.',
    },
  },

  unreadable: {
    title: 'A message cannot be read.',
    titleFrom: 'A message from {{name}} cannot be read.',
    malformed: 'It arrived damaged.',
    unsupported: 'It needs a newer version of Tacit.',
    auth_failed: 'It is not proven who wrote it.',
    policy: 'Its sender was not allowed to do that.',
    duplicate: 'It was sent twice.',
    stale_epoch: 'Its keys are no longer on this device.',
    unknown: 'The reason is unknown.',
  },
} as const
