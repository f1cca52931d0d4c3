/**
 * What is shown instead of a part of the page that broke, or whose code could not be loaded. Without it React would take the
 * whole page away and leave nothing. (For this React has classes only.)
 */
import { Component, type ReactNode } from 'react'

interface ErrorBoundaryProps {
  readonly fallback: ReactNode
  /** At another place the children are shown again. */
  readonly place?: string
  readonly children: ReactNode
}

interface ErrorBoundaryState {
  readonly broken: boolean
  readonly place: string | undefined
}

export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { broken: false, place: this.props.place }

  static getDerivedStateFromError(): Partial<ErrorBoundaryState> {
    return { broken: true }
  }

  static getDerivedStateFromProps({ place }: ErrorBoundaryProps, before: ErrorBoundaryState): ErrorBoundaryState | null {
    return place === before.place ? null : { broken: false, place }
  }

  override render(): ReactNode {
    return this.state.broken ? this.props.fallback : this.props.children
  }
}
