// @ts-check
/** The shapes of lexoffice's JSON that the views rely on; nothing of this remains at run time. */

/**
 * @template T
 * @typedef {object} Page
 * @property {T[]} content
 * @property {boolean} last
 * @property {number} totalPages
 * @property {number} totalElements stops at 10,000
 * @property {number} number from 0
 */

/**
 * @typedef {object} Profile
 * @property {string} organizationId
 * @property {string} [companyName]
 * @property {{userName?: string, userEmail?: string}} [created]
 * @property {string} [taxType] net, gross or vatfree: how this organization writes its prices
 * @property {boolean} [smallBusiness] a Kleinunternehmer, whose invoices have no tax
 */

/**
 * @typedef {object} VoucherRow
 * @property {string} id
 * @property {string} voucherType
 * @property {string} voucherStatus
 * @property {string} [voucherNumber]
 * @property {string} voucherDate
 * @property {string} [dueDate]
 * @property {string} [contactId]
 * @property {string} [contactName]
 * @property {string} [createdDate]
 * @property {number} totalAmount
 * @property {number} [openAmount]
 * @property {string} currency
 * @property {boolean} [archived]
 */

/**
 * @typedef {object} Address
 * @property {string} [contactId]
 * @property {string} [name]
 * @property {string} [supplement]
 * @property {string} [street]
 * @property {string} [zip]
 * @property {string} [city]
 * @property {string} [countryCode]
 */

/**
 * @typedef {object} LineItem
 * @property {string} type
 * @property {string} name
 * @property {string} [description]
 * @property {number} [quantity]
 * @property {string} [unitName]
 * @property {{currency: string, netAmount: number, grossAmount: number, taxRatePercentage: number}} [unitPrice]
 * @property {number} [discountPercentage]
 * @property {number} [lineItemAmount]
 */

/**
 * An invoice or the like; bookkeeping vouchers have the second half instead of the first.
 * @typedef {object} Voucher
 * @property {string} id
 * @property {string} voucherStatus
 * @property {string} [voucherNumber]
 * @property {string} voucherDate
 * @property {string} [dueDate]
 * @property {Address} [address]
 * @property {LineItem[]} [lineItems]
 * @property {{currency: string, totalNetAmount: number, totalGrossAmount: number, totalTaxAmount: number}} [totalPrice]
 * @property {{taxRatePercentage: number, taxAmount: number, netAmount: number}[]} [taxAmounts]
 * @property {{taxType: string}} [taxConditions]
 * @property {{paymentTermLabel?: string, paymentTermDuration?: number}} [paymentConditions]
 * @property {{shippingDate?: string, shippingType?: string}} [shippingConditions]
 * @property {string} [title]
 * @property {string} [introduction]
 * @property {string} [remark]
 * @property {number} [totalGrossAmount]
 * @property {number} [totalTaxAmount]
 * @property {string} [contactId]
 * @property {string} [contactName]
 * @property {{amount: number, taxAmount: number, taxRatePercent: number}[]} [voucherItems]
 * @property {string[] | {documentFileId?: string}} [files]
 * @property {{id: string, voucherNumber?: string, voucherType: string}[]} [relatedVouchers]
 * @property {number} [version]
 */

/**
 * @typedef {object} Payments
 * @property {number} [openAmount]
 * @property {string} [currency]
 * @property {string} [paidDate]
 */

/**
 * @typedef {object} Person
 * @property {string} [salutation]
 * @property {string} [firstName]
 * @property {string} [lastName]
 * @property {boolean} [primary]
 * @property {string} [emailAddress]
 * @property {string} [phoneNumber]
 */

/**
 * @typedef {object} Contact
 * @property {string} id
 * @property {{customer?: {number?: number}, vendor?: {number?: number}}} [roles]
 * @property {{name: string, taxNumber?: string, vatRegistrationId?: string, contactPersons?: Person[]}} [company]
 * @property {Person} [person]
 * @property {{billing?: Address[], shipping?: Address[]}} [addresses]
 * @property {Record<string, string[]>} [emailAddresses]
 * @property {Record<string, string[]>} [phoneNumbers]
 * @property {string} [note]
 * @property {boolean} [archived]
 */

/**
 * @typedef {object} Article
 * @property {string} id
 * @property {string} title
 * @property {string} [description]
 * @property {string} [articleNumber]
 * @property {"PRODUCT" | "SERVICE"} type
 * @property {string} [unitName]
 * @property {{netPrice: number, grossPrice: number, taxRate: number}} price
 * @property {boolean} [archived]
 */

/**
 * @typedef {object} PaymentCondition
 * @property {boolean} [organizationDefault]
 * @property {string} paymentTermLabelTemplate
 * @property {number} paymentTermDuration days
 */

export {};
