import { Component, type ReactNode } from 'react';
import { ErrorNotice } from './notice.js';

interface Props {
  /** Another place is another chance: what failed at one doesn't keep the others from being shown. */
  place: string;
  children: ReactNode;
}

/** A mistake of the page itself is shown where it happened, and the rest stays usable. */
export class ErrorBoundary extends Component<Props, { error?: unknown; place?: string }> {
  override state: { error?: unknown; place?: string } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps({ place }: Props, state: { place?: string }) {
    return place === state.place ? null : { place, error: undefined };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return <ErrorNotice error={this.state.error} retry={() => this.setState({ error: undefined })} />;
  }
}
