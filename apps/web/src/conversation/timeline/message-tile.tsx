/** A message: mine on the trailing side, others' on the leading side with their name in groups. */
import { useTranslation } from 'react-i18next'
import type { ConversationId } from '@tacit/sdk'
import { Avatar } from '../../design/avatar.tsx'
import { classes } from '../../design/classes.ts'
import { useMoments } from '../../time/use-moments.ts'
import { MessageStateIcon } from '../message-state-icon.tsx'
import { FailedMessage } from './failed-message.tsx'
import { ForgetMessage } from './forget-message.tsx'
import { isOnlyEmoji } from './message-text.ts'
import { MessageText } from './message-text-view.tsx'
import css from './message-tile.module.css'
import type { Row } from './rows.ts'

interface MessageTileProps {
  readonly row: Extract<Row, { kind: 'message' }>
  readonly conversation: ConversationId
  /** Whether names are needed to tell the senders apart. */
  readonly inGroup: boolean
}

export function MessageTile({ row, conversation, inGroup }: MessageTileProps) {
  const { t } = useTranslation()
  const moments = useMoments()
  const { item, firstOfGroup, lastOfGroup, showsMeta } = row
  const named = inGroup && !item.mine
  const failed = item.state.kind === 'failed'
  return (
    <div className={classes(css['row'], item.mine ? css['mine'] : css['theirs'], firstOfGroup && css['first'], lastOfGroup && css['last'])}>
      {named && (
        <span className={css['gutter']}>
          {lastOfGroup && <Avatar id={item.sender.account} name={item.sender.nickname ?? item.sender.handle} size="small" />}
        </span>
      )}
      {item.seq !== undefined && item.mine && (
        <ForgetMessage conversation={conversation} message={item.message} className={css['forget']} />
      )}
      <div className={css['column']}>
        <div className={classes(css['bubble'], failed && css['failed'])}>
          {named && firstOfGroup ? (
            <p className={css['sender']}>{item.sender.nickname ?? item.sender.handle}</p>
          ) : (
            <span className="sr-only">
              {item.mine ? t('message.mine') : t('message.theirs', { name: item.sender.nickname ?? item.sender.handle })}
            </span>
          )}
          <MessageText text={item.text} large={isOnlyEmoji(item.text)} />
          <span className={showsMeta ? css['meta'] : 'sr-only'}>
            <time dateTime={new Date(item.time).toISOString()} title={moments.full(item.time)}>
              {moments.clock(item.time)}
            </time>
            {item.mine && <MessageStateIcon state={item.state} />}
          </span>
        </div>
        {item.state.kind === 'failed' && <FailedMessage message={item.message} text={item.text} reason={item.state.reason} />}
      </div>
      {item.seq !== undefined && !item.mine && (
        <ForgetMessage conversation={conversation} message={item.message} className={css['forget']} />
      )}
    </div>
  )
}
