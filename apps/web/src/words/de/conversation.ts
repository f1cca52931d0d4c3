/** Reading and writing in a conversation. */
import type { conversation as english } from '../en/conversation.ts'
import type { Shape } from '../shape.ts'

export const conversation: Shape<typeof english> = {
  typing: {
    unnamed: 'schreibt …',
    one: '{{name}} schreibt …',
    two: '{{first}} und {{second}} schreiben …',
    several: '{{count}} Leute schreiben …',
  },

  conversation: {
    label: 'Unterhaltung mit {{title}}',
    messages: 'Nachrichten in {{title}}',
    back: 'Zurück zu den Unterhaltungen',
    details: 'Details',
    online: 'online',
    people_one: '{{count}} Person',
    people_other: '{{count}} Personen',
    unread: 'Neu',
    newer_one: '{{count}} neue Nachricht',
    newer_other: '{{count}} neue Nachrichten',
    toEnd: 'Zur neuesten Nachricht',
    earlier: 'Frühere Nachrichten werden geholt …',
    sealedDirect: 'Nur du und {{name}} könnt lesen, was hier steht.',
    sealedGroup: 'Nur die Leute in dieser Gruppe können lesen, was hier steht.',
  },

  standing: {
    joining: 'Dieses Gerät kommt gerade dazu …',
    left: 'Du hast diese Gruppe verlassen. Was vorher geschrieben wurde, kannst du weiter lesen.',
    removed: 'Du bist nicht mehr in dieser Gruppe. Was vorher geschrieben wurde, kannst du weiter lesen.',
    paused: 'Diese Unterhaltung wird repariert. Was du schreibst, wartet hier.',
    stuck:
      'Der Server hat eine Änderung durchgelassen, die gegen die Regeln dieser Unterhaltung verstößt. Sie ist hier angehalten, damit niemand unbefugt mitliest. Was geschrieben wurde, bleibt.',
  },

  anew: {
    start: 'Diese Gruppe neu beginnen',
    title: 'Diese Gruppe neu beginnen?',
    text: 'Es entsteht eine neue Gruppe mit demselben Namen und diesen Leuten. Alle sehen, dass sie diese hier fortsetzt, auf dein Wort. Lass weg, wem du nicht traust; diese Gruppe und ihr Verlauf bleiben.',
    people: 'Mitnehmen',
    go: 'Neu beginnen',
    goesOn: 'In der neuen Gruppe weiter',
    unknown: 'eine Gruppe, die nicht auf diesem Gerät ist',
  },

  removal: {
    waits: 'Soll entfernt werden seit {{when}}, noch nicht wirksam',
    late: '{{name}} liest hier weiter mit',
    advice:
      'Du wolltest {{name}} entfernen: {{when}}. Der Server hat das seither nicht angenommen, obwohl er erreichbar ist. Schreib nichts, was {{name}} nicht lesen soll, und sag es denen, die den Server betreiben.',
  },

  composer: { placeholder: 'Nachricht', label: 'Nachricht an {{title}}', send: 'Senden' },

  message: {
    mine: 'Du:',
    theirs: '{{name}}:',
    state: { sending: 'Wird gesendet', accepted: 'Gesendet', delivered: 'Zugestellt', read: 'Gelesen', failed: 'Nicht gesendet' },
    failed: 'Nicht gesendet.',
    failedLeft: 'Du bist nicht mehr in dieser Unterhaltung.',
    retry: 'Noch einmal',
    copy: 'Kopieren',
    copied: 'Kopiert',
    discard: 'Verwerfen',
    forget: 'Für mich löschen',
    forgetTitle: 'Diese Nachricht für dich löschen?',
    forgetText: 'Sie verschwindet von allen deinen Geräten und aus deinem Archiv. Die anderen behalten ihre.',
  },

  notice: {
    created: '{{by}} hat diese Unterhaltung begonnen',
    created_byMe: 'Du hast diese Unterhaltung begonnen',
    joined: '{{by}} hat {{person}} hinzugefügt',
    joined_byMe: 'Du hast {{person}} hinzugefügt',
    joinedMe: '{{by}} hat dich hinzugefügt',
    joinedMe_byMe: 'Du bist dazugekommen',
    removed: '{{by}} hat {{person}} entfernt',
    removed_byMe: 'Du hast {{person}} entfernt',
    removedMe: '{{by}} hat dich entfernt',
    removedMe_byMe: 'Du hast die Gruppe verlassen',
    left: '{{person}} hat die Gruppe verlassen',
    leftMe: 'Du hast die Gruppe verlassen',
    renamed: '{{by}} hat die Gruppe „{{title}}“ genannt',
    renamed_byMe: 'Du hast die Gruppe „{{title}}“ genannt',
    madeAdmin: '{{by}} hat {{person}} die Leitung gegeben',
    madeAdmin_byMe: 'Du hast {{person}} die Leitung gegeben',
    madeMember: '{{by}} hat {{person}} die Leitung genommen',
    madeMember_byMe: 'Du hast {{person}} die Leitung genommen',
    madeAdminMe: '{{by}} hat dir die Leitung gegeben',
    madeAdminMe_byMe: 'Du hast die Leitung übernommen',
    madeMemberMe: '{{by}} hat dir die Leitung genommen',
    madeMemberMe_byMe: 'Du hast die Leitung abgegeben',
    deviceJoined: '{{person}} schreibt jetzt auch von einem neuen Gerät',
    deviceJoinedMe: 'Du bist mit einem neuen Gerät dabei',
    deviceRemoved: '{{person}} hat eines der eigenen Geräte entfernt',
    deviceRemovedMe: 'Du hast eines deiner Geräte entfernt',
    continued: '{{by}} sagt, dass diese Gruppe in einer neuen weitergeht',
    continued_byMe: 'Du hast diese Gruppe neu begonnen',
    continues: '{{by}} sagt, dass diese Gruppe „{{title}}“ fortsetzt',
    continues_byMe: 'Du führst hier „{{title}}“ weiter',
    historyBegins: 'Dieses Gerät ist ab hier dabei. Frühere Nachrichten sind auf deinen anderen Geräten.',
    identityChanged: 'Die Sicherheitsidentität von {{person}} hat sich geändert',
    tampering: 'Der Server hat diese Unterhaltung nicht getreu überbracht',
    advice: {
      identity:
        'Das geschieht, wenn {{name}} einen neuen Kontoschlüssel hat, oder wenn sich jemand für {{name}} ausgibt. Frag persönlich oder am Telefon nach, bevor du etwas Vertrauliches schreibst.',
      fork: 'Den Leuten hier wurden verschiedene Nachrichten gezeigt. Vergleicht auf einem anderen Weg, was jeder sieht, und sagt es dem Betreiber.',
      gap: 'Etwas wurde ausgelassen. Hier kann eine Nachricht fehlen. Sag es den anderen auf einem anderen Weg, und dem Betreiber.',
      key_log:
        'Der Server zeigt verschiedenen Leuten verschiedene Schlüssel, oder er hat sein Verzeichnis der Schlüssel umgeschrieben. Vergewissert euch auf einem anderen Weg, mit wem ihr sprecht, bevor ihr Vertrauliches schreibt, und sagt es dem Betreiber.',
      rollback:
        'Der Server hat die neuesten Nachrichten verloren, vielleicht weil er aus einer Sicherung wiederhergestellt wurde. Deine werden noch einmal gesendet. Frag den Betreiber.',
      replay: 'Etwas Altes wurde noch einmal überbracht. Es wurde nicht zweimal gezeigt. Sag es dem Betreiber.',
    },
  },

  unreadable: {
    title: 'Eine Nachricht ist nicht lesbar.',
    titleFrom: 'Eine Nachricht von {{name}} ist nicht lesbar.',
    malformed: 'Sie kam beschädigt an.',
    unsupported: 'Sie braucht eine neuere Version von Tacit.',
    auth_failed: 'Es ist nicht bewiesen, wer sie geschrieben hat.',
    policy: 'Wer sie geschickt hat, durfte das nicht.',
    duplicate: 'Sie wurde zweimal geschickt.',
    stale_epoch: 'Ihre Schlüssel sind nicht mehr auf diesem Gerät.',
    unknown: 'Der Grund ist unbekannt.',
  },
}
