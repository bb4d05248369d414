import { Check, Copy } from 'lucide-react';
import { useState } from 'react';

/** A command with a button that copies it. */
export function CopyText({ text, label = 'Copy this command' }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    // Without https, away from this machine, browsers have no clipboard: the text is selected instead.
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } else {
      const code = document.activeElement?.parentElement?.querySelector('code');
      if (code) getSelection()?.selectAllChildren(code);
    }
  };
  return (
    <div className="copy">
      <code>{text}</code>
      <button type="button" className="icon-button" onClick={copy} aria-label={label} title={label}>
        {copied ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />}
      </button>
      <span className="sr-only" role="status">
        {copied ? 'Copied' : ''}
      </span>
    </div>
  );
}
