/** Chooses one of the steps that were kept; `at` counts from 0. */
export function StepSlider({
  steps,
  at,
  onChange,
}: {
  steps: { step: number }[];
  at: number;
  onChange: (at: number) => void;
}) {
  const step = steps[at]?.step ?? 0;
  return (
    <label className="step-slider">
      <span className="dim">Step</span>
      <input
        type="range"
        min={0}
        max={Math.max(0, steps.length - 1)}
        value={at}
        disabled={steps.length < 2}
        aria-valuetext={`step ${step}`}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      <output className="number">{step.toLocaleString('en')}</output>
    </label>
  );
}
