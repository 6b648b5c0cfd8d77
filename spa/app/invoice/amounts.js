// @ts-check
/**
 * What lines add up to, in whole cents and rounded as lexoffice does: each line's amount once, commercially (half a cent away
 * from zero); then for each tax rate the tax once, of the sum of its lines. Of net prices the tax is added, of gross ones it is
 * taken out: so the sum of the lines is the net or the gross total, to the cent.
 */

/** @typedef {"net" | "gross" | "vatfree"} TaxType */
/** @typedef {{amount: bigint, rate: number}} Taxed */
/** @typedef {{rate: number, net: bigint, tax: bigint}} TaxAmount */
/** @typedef {{net: bigint, gross: bigint, taxes: TaxAmount[]}} Totals */

export const QUANTITY_PLACES = 4;
export const PRICE_PLACES = 2;
export const DISCOUNT_PLACES = 2;
const ALL = 10_000n; // 100.00 per cent, and 1.0000 pieces

/**
 * @param {bigint} quantity in ten-thousandths
 * @param {bigint} price of one, in cents
 * @param {bigint} discount in hundredths of a per cent
 * @returns {bigint} cents
 */
export const lineAmount = (quantity, price, discount) => divided(quantity * price * (ALL - discount), ALL * ALL);

/**
 * @param {Taxed[]} lines
 * @param {TaxType} taxType
 * @returns {Totals} cents; taxes from the lowest rate to the highest
 */
export function totalsOf(lines, taxType) {
  /** @type {Map<number, bigint>} */
  const sums = new Map();
  for (const { amount, rate } of lines) {
    const taxed = taxType === "vatfree" ? 0 : rate;
    sums.set(taxed, (sums.get(taxed) ?? 0n) + amount);
  }
  const taxes = [...sums].sort(([a], [b]) => a - b).map(([rate, sum]) => taxOf(rate, sum, taxType));
  const net = taxes.reduce((total, part) => total + part.net, 0n);
  return { net, taxes, gross: taxes.reduce((total, part) => total + part.tax, net) };
}

/**
 * @param {number} rate per cent, whole
 * @param {bigint} sum
 * @param {TaxType} taxType
 * @returns {TaxAmount}
 */
function taxOf(rate, sum, taxType) {
  const percent = BigInt(rate);
  if (taxType !== "gross") return { rate, net: sum, tax: divided(sum * percent, 100n) };
  const tax = divided(sum * percent, 100n + percent);
  return { rate, net: sum - tax, tax };
}

/**
 * @param {bigint} value
 * @param {bigint} by positive
 * @returns {bigint} rounded, a half away from zero
 */
function divided(value, by) {
  const half = value < 0n ? -by : by;
  return (2n * value + half) / (2n * by); // BigInt cuts off towards zero
}
