/**
 * Exponential moving average without the bias towards its start, as TensorBoard draws it
 * (tensorboard/components/vz_line_chart2: `smoothed / (1 - weight^n)`). Missing values stay missing.
 * @param weight 0 (as it is) to below 1
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  let last = 0;
  let count = 0;
  return values.map((value) => {
    if (value === null) return null;
    last = last * weight + (1 - weight) * value;
    count += 1;
    return last / (1 - weight ** count);
  });
}
