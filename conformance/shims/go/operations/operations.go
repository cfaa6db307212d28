package operations

import (
	"maps"
	"slices"
)

// Operation answers a case with its result, or with the code of a refusal.
type Operation func(Arguments) (any, error)

// All operations by their names.
var All = merged(identityOperations, statementOperations, brokerOperations, messageOperations, fileOperations)

func merged(groups ...map[string]Operation) map[string]Operation {
	all := map[string]Operation{}
	for _, group := range groups {
		maps.Copy(all, group)
	}
	return all
}

// Names of all operations, sorted.
func Names() []string { return slices.Sorted(maps.Keys(All)) }

// result is what a function returned, changed for the answer unless it failed.
func result[A any](value A, err error, change func(A) any) (any, error) {
	if err != nil {
		return nil, err
	}
	return change(value), nil
}
