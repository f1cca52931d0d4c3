/** What frames the pages: opening, connection, list, finding one's way. */
import type { page as english } from '../en/page.ts'
import type { Shape } from '../shape.ts'

export const page: Shape<typeof english> = {
  splash: { opening: 'Deine Unterhaltungen werden geöffnet …' },

  page: { back: 'Zurück zu den Unterhaltungen' },

  confirm: { cancel: 'Abbrechen', close: 'Schließen' },

  update: { ready: 'Eine neue Version von Tacit ist bereit.', reload: 'Neu laden', later: 'Später' },

  trouble: {
    outdated: { title: 'In einem anderen Tab ist eine neuere Version offen', text: 'Lade diesen neu, um hier weiterzumachen.' },
    trouble: {
      title: 'Deine Unterhaltungen lassen sich nicht öffnen',
      text: 'Sie sind noch in diesem Browser. Oft hilft es, die Seite neu zu laden.',
    },
    broken: { title: 'Diese Seite kam nicht ganz an', text: 'Nichts ist verloren. Meist hilft es, sie neu zu laden.' },
    reload: 'Neu laden',
  },

  home: {
    title: 'Wähle eine Unterhaltung',
    text: 'Oder beginne eine neue. Strg+K findet jede.',
    first: { title: 'Hier ist es noch still', text: 'Sag anderen deinen Namen, oder finde sie über ihren.' },
    missing: {
      title: 'Diese Unterhaltung ist nicht auf diesem Gerät',
      text: 'Vielleicht gehört sie zu einem anderen Konto, oder du bist nicht mehr dabei.',
      back: 'Zurück zu den Unterhaltungen',
    },
  },

  shell: {
    skip: 'Direkt zur Unterhaltung',
    newDevices_one: 'Ein neues Gerät gehört jetzt zu deinem Konto.',
    newDevices_other: '{{count}} neue Geräte gehören jetzt zu deinem Konto.',
    seeDevices: 'Meine Geräte ansehen',
    knowDevices: 'Ich weiß davon',
  },

  connection: {
    offline: 'Du bist offline. Lesen und schreiben geht; Nachrichten warten hier.',
    waiting: 'Der Server ist nicht erreichbar. Gleich wird es wieder versucht.',
    unsent: {
      offline_one: 'Du bist offline. {{count}} Nachricht wartet auf das Senden.',
      offline_other: 'Du bist offline. {{count}} Nachrichten warten auf das Senden.',
      waiting_one: 'Der Server ist nicht erreichbar. {{count}} Nachricht wartet auf das Senden.',
      waiting_other: 'Der Server ist nicht erreichbar. {{count}} Nachrichten warten auf das Senden.',
    },
    connecting: 'Verbindung wird aufgebaut …',
    catching_up: 'Verpasstes wird geholt …',
    sessionEnded: 'Deine Sitzung ist beendet. Lesen geht; was du schreibst, wartet hier.',
    signInAgain: 'Wieder anmelden',
  },

  announce: {
    one: '{{title}}: {{text}}',
    many_one: '{{count}} neue Nachricht',
    many_other: 'Neue Nachrichten in {{count}} Unterhaltungen',
  },

  list: {
    label: 'Unterhaltungen',
    search: 'Unterhaltung finden (Strg+K)',
    newDirect: 'Neuer Chat',
    newGroup: 'Neue Gruppe',
    online: 'online',
    unread_one: '{{count}} ungelesene Nachricht',
    unread_other: '{{count}} ungelesene Nachrichten',
    draft: 'Entwurf:',
    you: 'Du:',
    nothingYet: 'Noch keine Nachrichten',
    empty: { title: 'Noch keine Unterhaltungen', text: 'Finde jemanden über seinen Namen und sag hallo.' },
  },

  switcher: { title: 'Unterhaltung finden', label: 'Unterhaltung finden', empty: 'So heißt keine Unterhaltung.' },
}
