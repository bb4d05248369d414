interface Props {
  owners: readonly string[];
  owner: string;
  setOwner: (owner: string) => void;
}

/** Asks whose it becomes, where that can be anybody but who is logged in. */
export function OwnerChoice({ owners, owner, setOwner }: Props) {
  if (owners.length < 2) return null;
  return (
    <label className="field">
      Owner
      <select value={owner} onChange={({ target }) => setOwner(target.value)}>
        {owners.map((name, i) => (
          <option key={name} value={name}>
            {i === 0 ? `${name} (you)` : `${name} (team)`}
          </option>
        ))}
      </select>
    </label>
  );
}
