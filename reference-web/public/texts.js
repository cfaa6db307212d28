// Empty: the operator of a home server may replace sentences of the page here (--page-texts).
export default {}
