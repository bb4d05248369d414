interface Props {
  name: string;
  percent: number;
  /** Said instead of the percentage. */
  text?: string;
  title?: string;
}

/** How much of something is in use: a bar, and the number beside it. */
export function Meter({ name, percent, text = `${Math.round(percent)} %`, title }: Props) {
  return (
    <div className="meter" title={title}>
      <span className="dim">{name}</span>
      <meter aria-label={name} min={0} max={100} value={percent}>
        {text}
      </meter>
      <span className="number">{text}</span>
    </div>
  );
}
