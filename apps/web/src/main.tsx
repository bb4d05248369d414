import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { isLoggedOut, untilBack } from './api/call.js';
import { App } from './app.js';
import { applyTheme } from './ui/theme.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/jobs.css';
import './styles/charts.css';
import './styles/logs.css';
import './styles/files.css';
import './styles/tensorboard.css';
import './styles/datasets.css';
import './styles/cluster.css';

applyTheme();

/** A session that is over shows at the next question: who it is is asked again, and the login page appears. */
const onError = (error: unknown) => {
  if (isLoggedOut(error)) client.setQueryData(['me'], null);
};
const client = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      ...untilBack,
    },
  },
});

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      {/* A switch whose state is in the address must stand as it was pressed at once, not after a transition. */}
      <BrowserRouter useTransitions={false}>
        <App />
      </BrowserRouter>
    </QueryClientProvider>
  </StrictMode>,
);
