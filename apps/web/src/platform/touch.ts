/** Whether people type on glass here: then nothing takes the focus by itself, for that would open the keyboard over the screen. */
const coarse = matchMedia('(pointer: coarse)')

export const isTouch = (): boolean => coarse.matches
